# Serves: docker build -t vdroppath_serve -f serve.Dockerfile .
# docker run --rm -p 8000:8000 -v "$PWD/served:/models/served:ro" vdroppath_serve /models/served
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 1000 user
WORKDIR /opt/vdroppath_tf
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY vdroppath_tf ./vdroppath_tf
# The versions are those of setup.cfg.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir '.[serve]'

USER 1000
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
ENTRYPOINT ["vdroppath", "serve", "--host=0.0.0.0"]
CMD ["/models"]
