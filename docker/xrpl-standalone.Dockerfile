FROM scratch
COPY xrpl-standalone /xrpl-standalone
# websocket, JSON-RPC; each serves both, to administrators.
EXPOSE 6006 5005
ENTRYPOINT ["/xrpl-standalone", "--host", "0.0.0.0"]
