# Everything installed in the first stage; the second holds the result and no tool that built it.
FROM python:3.13-slim AS build
ARG UV_VERSION=0.13.9
RUN pip install --no-cache-dir --root-user-action=ignore "uv==${UV_VERSION}"
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/gloed
WORKDIR /build

# What others made first: a change of ours installs none of it again.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project

COPY README.md LICENSE ./
COPY app app
COPY collector collector
COPY heatmap heatmap
COPY migrations migrations
COPY snippets snippets
RUN uv sync --frozen --no-dev --no-editable


FROM python:3.13-slim
# /data: the embedded Postgres and the secret, unless an external Postgres is named.
# /secrets: what compose.yaml makes at its first start; a volume takes owner and mode from here.
RUN useradd --system --uid 8700 --create-home --home-dir /home/gloed gloed \
    && install --directory --owner=gloed --group=gloed --mode=0700 /data /secrets
COPY --from=build /opt/gloed /opt/gloed
ENV PATH=/opt/gloed/bin:$PATH PYTHONUNBUFFERED=1 GLOED_DATA_DIR=/data
USER gloed
WORKDIR /home/gloed
VOLUME /data
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8700/healthz', timeout=3)"]
CMD ["gloed", "serve", "--host", "0.0.0.0"]
