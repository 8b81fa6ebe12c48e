"""librtmp's side of a server: the handshake, which checks the client's signature, and one chunk of what follows it.

Prints lines: "listening PORT", "shaken true" or "shaken false", "message TYPE" with the type of the first message.
"""
import ctypes
import socket

librtmp = ctypes.CDLL("librtmp.so.1")
librtmp.RTMP_Alloc.restype = ctypes.c_void_p
for name, arguments in {"RTMP_Init": 1, "RTMP_Socket": 1, "RTMP_Serve": 1, "RTMP_ReadPacket": 2}.items():
    getattr(librtmp, name).argtypes = [ctypes.c_void_p] * arguments


def say(*words):
    print(*words, flush=True)


def field_of_socket(rtmp):
    """Where in librtmp's structure the socket is kept: it has a function that reads it, and none that writes it."""
    mark = 0x51627384
    for address in range(rtmp, rtmp + 4096, 4):
        field = ctypes.c_int32.from_address(address)
        kept, field.value = field.value, mark
        found = librtmp.RTMP_Socket(rtmp) == mark
        field.value = kept
        if found:
            return field
    raise SystemExit("this librtmp keeps its socket elsewhere")


rtmp = librtmp.RTMP_Alloc()
librtmp.RTMP_Init(rtmp)
field = field_of_socket(rtmp)
listener = socket.create_server(("127.0.0.1", 0))
say("listening", listener.getsockname()[1])
connection, _ = listener.accept()
field.value = connection.fileno()
shaken = librtmp.RTMP_Serve(rtmp) != 0
say("shaken", str(shaken).lower())
if shaken:
    # RTMPPacket begins with a byte for the header's type and one for the message's.
    packet = ctypes.create_string_buffer(256)
    librtmp.RTMP_ReadPacket(rtmp, packet)
    say("message", packet.raw[1])
