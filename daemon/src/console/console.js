// Counts down what the page says of times, by the ledger's clock. Without it the page says what was so when it was made.
(function () {
  "use strict";
  var now = Date.parse(document.body.dataset.now || "");
  var since = performance.now();
  function words(seconds) {
    var past = seconds < 0;
    var rest = Math.abs(Math.trunc(seconds));
    var parts = [[Math.floor(rest / 86400), "d"], [Math.floor(rest / 3600) % 24, "h"], [Math.floor(rest / 60) % 60, "min"], [rest % 60, "s"]];
    var from = parts.findIndex(function (part) { return part[0] > 0; });
    if (from < 0) { from = 3; }
    var shown = parts.slice(from, from + 2).filter(function (part) { return part[0] > 0; });
    var text = shown.map(function (part) { return part.join(" "); }).join(" ") || "0 s";
    return past ? text + " ago" : "in " + text;
  }
  function tick() {
    var at = now + (performance.now() - since);
    document.querySelectorAll("[data-until]").forEach(function (place) {
      var then = Date.parse(place.dataset.until || place.dateTime);
      if (!isNaN(then)) { place.textContent = words((then - at) / 1000); }
    });
  }
  if (!isNaN(now)) {
    tick();
    setInterval(tick, 1000);
  }
  // A file that was chosen is shown before it is sent.
  document.querySelectorAll("input[type=file]").forEach(function (input) {
    input.addEventListener("change", function () {
      var area = input.form.querySelector("textarea");
      if (area && input.files.length === 1) {
        input.files[0].text().then(function (text) { area.value = text; });
      }
    });
  });
  // One press is one act.
  document.querySelectorAll("form[method=post]").forEach(function (form) {
    form.addEventListener("submit", function () {
      form.querySelectorAll("button").forEach(function (button) { button.disabled = true; });
    });
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      document.querySelectorAll("button").forEach(function (button) { button.disabled = false; });
    }
  });
})();
