# Sono, as "node dist/main.js" runs it. Building needs the network: npm's packages, and libspeex's source from Debian.
FROM node:20.19.5-bookworm-slim AS build
WORKDIR /sono
# libspeex is fetched as Debian's source package, with the checksum that the build expects.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
COPY plugin/rtmp-server-ts/package.json plugin/rtmp-server-ts/
COPY plugin/embedded-sip/package.json plugin/embedded-sip/
COPY plugin/speex-wasm/package.json plugin/speex-wasm/
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run --silent build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.19.5-bookworm-slim
WORKDIR /sono
ENV NODE_ENV=production
COPY --from=build /sono/package.json ./
COPY --from=build /sono/node_modules node_modules
COPY --from=build /sono/plugin plugin
COPY --from=build /sono/flash_phone flash_phone
COPY --from=build /sono/dist dist
# Clients that send Nellymoser, AAC or MP3 need FFmpeg, which makes the image four times as large:
# RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*
USER node
# SIGTERM ends the calls first, within 5 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const host = process.env.SONO_HOST || '127.0.0.1'; fetch(`http://${host.includes(':') ? `[${host}]` : host}:${process.env.SONO_HTTP_PORT || 8080}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
