# docker build -t stepper . && docker run -p 3001:3001 -e GEMINI_API_KEY -e STEPPER_API_KEY -v stepper:/var/lib/stepper stepper
# Any user of group 0 will do (OpenShift), with a read-only root: --read-only --user 12345:0
# Both stages read their packages from debian-packages.txt.
FROM debian:12 AS build
COPY debian-packages.txt /src/
RUN apt-get update && apt-get install -y --no-install-recommends $(awk '$1 == "build" { print $2 }' /src/debian-packages.txt)
COPY . /src
WORKDIR /src
RUN cmake --preset release && cmake --build --preset release --target stepper plugins

FROM debian:12-slim
COPY debian-packages.txt /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends $(awk '$1 == "run" { print $2 }' /tmp/debian-packages.txt) \
 && rm -rf /var/lib/apt/lists/* && useradd --system --no-create-home --gid 0 --uid 999 stepper \
 && install -d -o stepper -g 0 -m 0770 /var/lib/stepper
COPY --from=build /src/build/release/bin/stepper /usr/bin/
COPY --from=build /src/build/release/plugins/*.so /usr/lib/stepper/plugins/
# By number: orchestrators that insist on runAsNonRoot cannot tell from a name.
USER 999:0
# Jobs and answers: keep it on a volume.
WORKDIR /var/lib/stepper
VOLUME /var/lib/stepper
# As variables, so that -e PORT=8080 and -e HOST=:: count.
ENV HOST=0.0.0.0 PORT=3001
EXPOSE 3001
CMD ["stepper", "serve"]
