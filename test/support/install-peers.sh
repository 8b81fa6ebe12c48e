#!/usr/bin/env bash
# The tests talk to real phones, encoders and SIP tools. This installs the Debian packages that hold them, and says so;
# where all is there it says nothing.
set -euo pipefail

peers=(
  'ffmpeg|publishes and plays Speex over RTMP; encodes and decodes the speech of the tests'
  'rtmpdump|brings librtmp, the library of the oldest RTMP phones, and a second player'
  'python3-librtmp|drives librtmp as an RTMP phone'
  'sip-tester|sipp: SIP callers and callees with every kind of answer'
  'linphone-cli|a SIP phone that speaks and hears Speex'
  'mediastreamer2-plugin-openh264|and H.264'
  'baresip|a SIP phone that speaks and hears G.711'
  'baresip-ffmpeg|and H.264'
  'speex|speexenc and speexdec: what our build of libspeex has to agree with'
  'kamailio|a SIP registrar and proxy: digest, Record-Route'
  'rtpengine-daemon|transcodes Speex, and speaks SRTP, as somebody else wrote them'
  'espeak-ng|speaks the sentences that the calls carry'
  'openssl|makes the certificates of the TLS tests'
  'haxe|compiles the Flash phone'
  'nginx-light|the HTTP proxy before HTTP tunnels and WebSockets'
  'libnginx-mod-rtmp|the RTMP server that our RTMP client publishes to and plays from'
  'chromium|runs the browser entry of the RTMP client'
  'gstreamer1.0-tools|runs GStreamer: one more RTMP client'
  'gstreamer1.0-plugins-base|the tone that it publishes'
  'gstreamer1.0-plugins-good|its G.711 and FLV, and a video phone that asks for packets and key frames'
  'gstreamer1.0-plugins-bad|its RTMP, and the encoder of that phone'
)

names=("${peers[@]%%|*}")
if command -v dpkg-query >/dev/null; then
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null || true)
else
  installed=''
fi

missing=()
reasons=''
for peer in "${peers[@]}"; do
  name=${peer%%|*}
  [[ $'\n'"$installed"$'\n' == *$'\n'"installed $name"$'\n'* ]] && continue
  missing+=("$name")
  reasons+=$(printf '  %-16s %s' "$name" "${peer#*|}")$'\n'
done
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  printf 'The tests need these programs, named here as Debian has them; install them and run the tests again:\n%s' "$reasons" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  printf 'The tests need these Debian packages:\n%sInstall them as root, and run the tests again:\n  %s\n' "$reasons" "$install" >&2
  exit 1
fi
printf 'Installing the Debian packages that the tests need:\n%s' "$reasons"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null >/dev/null
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null

# Debian starts the servers among them by their own configuration, on public ports; the tests start their own.
if [ -d /run/systemd/system ]; then
  for service in kamailio rtpengine-daemon nginx; do
    if [[ " ${missing[*]} " == *" $service"* ]]; then systemctl disable --now "$service" >/dev/null 2>&1 || true; fi
  done
fi
