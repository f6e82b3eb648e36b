# Headcount as a service: the HTTP API, or a worker. See compose.yaml for the two together.
FROM python:3.13-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv && uv venv /opt/headcount
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src ./src
RUN uv pip install --python /opt/headcount --compile-bytecode \
    --no-cache -c constraints.txt ".[server,postgres,qstash,exports,otel]"

FROM python:3.13-slim
# The user owns nothing but the data: a break-in can change no code.
RUN useradd --system --uid 10001 --home-dir /data --create-home headcount
COPY --from=build /opt/headcount /opt/headcount
ENV PATH="/opt/headcount/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    XDG_DATA_HOME=/data
USER headcount
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["headcount"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
