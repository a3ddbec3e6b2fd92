# Trains: docker build -t vdroppath_tf . && docker run --rm -v "$PWD:/data" vdroppath_tf train ...
# On GPUs: docker build --build-arg TENSORFLOW="tensorflow[and-cuda]>=2.16.2,<2.22" -t vdroppath_tf .
# and docker run --gpus all ...
FROM python:3.12-slim-bookworm

ARG TENSORFLOW=tensorflow>=2.16.2,<2.22

RUN useradd --create-home --uid 1000 user
WORKDIR /opt/vdroppath_tf
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY vdroppath_tf ./vdroppath_tf
RUN pip install --no-cache-dir "${TENSORFLOW}" .

USER 1000
WORKDIR /data
ENTRYPOINT ["vdroppath"]
CMD ["--help"]
