FROM scratch
COPY treasuryd /treasuryd
ENTRYPOINT ["/treasuryd"]
