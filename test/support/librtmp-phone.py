"""The test phone of the SEMS RTMP plugin, on librtmp. Commands come in and events go out as one JSON object a line.

Commands (standard input):
  {"do": "call", "name": "dial", "args": [...], "transaction": n?}   a command on the NetConnection
  {"do": "streams"}                    two createStreams, then publish and play, as on status 4
  {"do": "createStream", "times": n}   nothing but createStreams
  {"do": "closeStreams"}
  {"do": "audio" or "video", "messages": [hex, ...], "ms": 20, "timestamp": 0}  one message every `ms` on the publishing stream
  {"do": "stall", "ms": 3000}          reads nothing for that long
  {"do": "close"}

Events (standard output), each with "at", milliseconds of a steady clock:
  connected, command {name, transaction, args, csid, msid}, streams {publish, play}, audio {timestamp, msid, hex},
  video {timestamp, msid, hex}, sending, sent {count}, message {type, msid, hex}, closed {reason}

Run: librtmp-phone.py URL [OPTIONS as JSON: {"connectArguments": [...], "receiveBuffer": bytes, "streamsOn4": true}]
"""
import json
import socket
import sys
import threading
import time

from librtmp import RTMP, RTMPError, RTMPPacket, ffi, librtmp
from librtmp.amf import AMFObject, decode_amf, encode_amf

INVOKE, AUDIO, VIDEO = 0x14, 0x08, 0x09
LARGE, MEDIUM = 0, 1
# librtmp's own habits: commands of the NetConnection on chunk stream 3, of a NetStream on 8, audio on 6, and video on 5.
CONNECTION, STREAM, MICROPHONE, CAMERA = 3, 8, 6, 5

output_lock = threading.Lock()
send_lock = threading.Lock()


def now():
    return round(time.monotonic() * 1000, 1)


def emit(event, **fields):
    line = json.dumps({"event": event, "at": now(), **fields})
    with output_lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def amf_value(value):
    """JSON objects become AMF objects; a plain dict would become an ECMA array."""
    if isinstance(value, dict):
        return AMFObject((key, amf_value(entry)) for key, entry in value.items())
    if isinstance(value, list):
        return [amf_value(entry) for entry in value]
    return value


class Phone:
    def __init__(self, url, options):
        self.options = options
        self.created = {}  # transaction -> what the stream is for
        self.streams = {}  # "publish" or "play" -> message stream id
        self.stall_until = 0.0
        self.stalled = threading.Condition()
        # librtmp closes the connection after a silence of `timeout` seconds: a phone may be silent for long.
        self.rtmp = RTMP(url, live=True, timeout=3600, connect_data=options.get("connectArguments"))
        self.rtmp.connect()
        self.socket = socket.socket(fileno=librtmp.RTMP_Socket(self.rtmp.rtmp))
        if "receiveBuffer" in options:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receiveBuffer"])

    def send(self, packet_type, channel, header, stream, timestamp, body):
        packet = RTMPPacket(type=packet_type, format=header, channel=channel, timestamp=timestamp, body=body)
        packet.packet.m_nInfoField2 = stream
        with send_lock:
            if not self.rtmp.connected or librtmp.RTMP_SendPacket(self.rtmp.rtmp, packet.packet, 0) < 1:
                raise RTMPError("send failed")

    def call(self, name, *args, stream=0, transaction=None):
        if transaction is None:
            with send_lock:
                self.rtmp.transaction_id += 1
                transaction = self.rtmp.transaction_id
        body = b"".join(encode_amf(amf_value(value)) for value in (name, transaction, None, *args))
        if stream:
            self.send(INVOKE, STREAM, LARGE, stream, 0, body)
        else:
            self.send(INVOKE, CONNECTION, MEDIUM, 0, 0, body)
        return transaction

    def open_streams(self):
        for purpose in ("publish", "play"):
            with send_lock:
                self.rtmp.transaction_id += 1
                transaction = self.rtmp.transaction_id
            self.created[transaction] = purpose
            self.call("createStream", transaction=transaction)

    def close_streams(self):
        for stream in self.streams.values():
            self.call("closeStream", stream=stream, transaction=0)
            self.call("deleteStream", stream, transaction=0)
        self.streams = {}

    def stream_created(self, purpose, stream):
        self.streams[purpose] = stream
        if purpose == "publish":
            self.call("publish", "dummy", "live", stream=stream, transaction=0)
        else:
            self.call("play", "dummy", "live", stream=stream, transaction=0)
        if len(self.streams) == 2:
            emit("streams", **self.streams)

    def talk(self, messages, interval, timestamp, packet_type, channel):
        """As a microphone and a camera do: at their own pace, whatever the network."""
        stream = self.streams["publish"]
        emit("sending")
        start = time.monotonic()
        for index, message in enumerate(messages):
            time.sleep(max(0.0, start + index * interval / 1000 - time.monotonic()))
            if self.streams.get("publish") != stream:
                break
            stamp = (timestamp + round(index * interval)) & 0xFFFFFFFF
            self.send(packet_type, channel, MEDIUM if index else LARGE, stream, stamp, bytes.fromhex(message))
        else:
            index = len(messages)
        emit("sent", count=index)

    def on_command(self, packet):
        values = decode_amf(packet.body)
        name, transaction, args = values[0], values[1], values[3:]
        emit("command", name=name, transaction=transaction, args=args,
             csid=packet.channel, msid=packet.packet.m_nInfoField2)
        if name == "_result" and transaction in self.created:
            self.stream_created(self.created.pop(transaction), int(args[0]))
        elif name == "onStatus" and args and args[0].get("code") == "Sono.Call.Status":
            self.on_call_status(args[0].get("status_code"))

    def on_call_status(self, status):
        if status == 4 and self.options.get("streamsOn4", True):
            self.open_streams()
        elif status in (0, 3):
            self.close_streams()

    def on_packet(self, packet):
        if packet.type == INVOKE:
            self.on_command(packet)
            return
        body = packet.body
        if packet.type in (AUDIO, VIDEO):
            emit("audio" if packet.type == AUDIO else "video", timestamp=packet.timestamp, msid=packet.packet.m_nInfoField2, hex=body.hex())
            return
        emit("message", type=packet.type, msid=packet.packet.m_nInfoField2, hex=body[:64].hex())
        # Chunk size, acknowledgement window, pings: librtmp answers as it always does.
        with send_lock:
            self.rtmp.handle_packet(packet)

    def read(self):
        """Every packet until the connection ends. Reading happens in one thread, sending under a lock in any."""
        while True:
            with self.stalled:
                while (rest := self.stall_until - time.monotonic()) > 0:
                    self.stalled.wait(rest)
            packet = ffi.new("RTMPPacket*")
            while True:
                if librtmp.RTMP_ReadPacket(self.rtmp.rtmp, packet) < 1:
                    return
                if packet.m_nBytesRead == packet.m_nBodySize:
                    break
            self.on_packet(RTMPPacket._from_pointer(packet))

    def stall(self, milliseconds):
        with self.stalled:
            self.stall_until = time.monotonic() + milliseconds / 1000
            self.stalled.notify()

    def perform(self, command):
        what = command["do"]
        if what == "call":
            self.call(command["name"], *command.get("args", []), transaction=command.get("transaction"))
        elif what == "streams":
            self.open_streams()
        elif what == "createStream":
            for _ in range(command["times"]):
                self.call("createStream")
        elif what == "closeStreams":
            self.close_streams()
        elif what in ("audio", "video"):
            kind = (AUDIO, MICROPHONE) if what == "audio" else (VIDEO, CAMERA)
            arguments = (command["messages"], command["ms"], command.get("timestamp", 0), *kind)
            threading.Thread(target=self.guard, args=(self.talk, *arguments), daemon=True).start()
        elif what == "stall":
            self.stall(command["ms"])
        elif what == "close":
            # Not RTMP_Close: it would take the socket away under the thread that reads.
            self.socket.shutdown(socket.SHUT_RDWR)
        else:
            raise ValueError(f"unknown command {what}")

    def guard(self, function, *args):
        try:
            function(*args)
        except RTMPError as error:
            emit("failed", reason=str(error))


def main():
    options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    try:
        phone = Phone(sys.argv[1], options)
    except RTMPError as error:
        emit("closed", reason=str(error))
        return
    emit("connected")

    def read():
        try:
            phone.read()
            emit("closed", reason="the connection ended")
        except RTMPError as error:
            emit("closed", reason=str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    for line in sys.stdin:
        phone.guard(phone.perform, json.loads(line))
        if not reader.is_alive():
            break
    reader.join(timeout=2)


main()
