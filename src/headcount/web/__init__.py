"""The service's HTTP side: parse, call, answer; needs the extra `server`."""
