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
  // A gesture with a passkey: what the browser makes of the page's options goes along with the form.
  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }
  function coded(buffer) {
    var plain = Array.from(new Uint8Array(buffer), function (byte) { return String.fromCharCode(byte); }).join("");
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function written(found) {
    var response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (found.response[name]) { response[name] = coded(found.response[name]); }
    });
    if (found.response.getTransports) { response.transports = found.response.getTransports(); }
    return JSON.stringify({ id: found.id, rawId: coded(found.rawId), type: found.type, response: response, clientExtensionResults: {} });
  }
  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    if (!window.PublicKeyCredential) { return; }
    var options = JSON.parse(form.dataset.passkey);
    options.challenge = bytes(options.challenge);
    if (options.user) { options.user.id = bytes(options.user.id); }
    (options.allowCredentials || []).concat(options.excludeCredentials || []).forEach(function (one) { one.id = bytes(one.id); });
    var why = form.querySelector("[data-why]");
    var button = form.querySelector("button");
    form.querySelector("[data-scriptless]").hidden = true;
    button.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      why.hidden = true;
      var asked = { publicKey: options };
      var gesture = options.user ? navigator.credentials.create(asked) : navigator.credentials.get(asked);
      gesture.then(function (found) {
        form.elements.gesture.value = written(found);
        form.submit();
      }).catch(function (error) {
        why.textContent = "No gesture: " + error.message;
        why.hidden = false;
        button.disabled = false;
      });
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
