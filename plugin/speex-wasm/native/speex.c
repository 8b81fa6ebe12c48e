/*
 * What the module exports. One packet and one frame of samples pass through static buffers: calls never overlap, and a
 * codec's own memory is then its state alone.
 */
#include "speex/speex.h"

/* 50 of the longest frames, as splitting allows. */
#define MAX_PACKET 8192
/* 20 ms at 32 kHz. */
#define MAX_FRAME 640

#define EXPORT_AS(name) __attribute__((export_name(name)))

static char packet[MAX_PACKET];
static spx_int16_t samples[MAX_FRAME];
static SpeexBits bits;

EXPORT_AS("packet") char *packet_buffer(void) { return packet; }
EXPORT_AS("samples") spx_int16_t *sample_buffer(void) { return samples; }

EXPORT_AS("createEncoder") void *create_encoder(int band) { return speex_encoder_init(speex_lib_get_mode(band)); }
EXPORT_AS("destroyEncoder") void destroy_encoder(void *state) { speex_encoder_destroy(state); }
EXPORT_AS("createDecoder") void *create_decoder(int band) { return speex_decoder_init(speex_lib_get_mode(band)); }
EXPORT_AS("destroyDecoder") void destroy_decoder(void *state) { speex_decoder_destroy(state); }

EXPORT_AS("controlEncoder") int control_encoder(void *state, int request, int value)
{
  spx_int32_t number = value;
  return speex_encoder_ctl(state, request, &number);
}

EXPORT_AS("setVbrQuality") int set_vbr_quality(void *state, float quality)
{
  return speex_encoder_ctl(state, SPEEX_SET_VBR_QUALITY, &quality);
}

EXPORT_AS("controlDecoder") int control_decoder(void *state, int request, int value)
{
  spx_int32_t number = value;
  return speex_decoder_ctl(state, request, &number);
}

/* Octets of the packet; its complement (-1 - octets) when discontinuous transmission would not send the frame. */
EXPORT_AS("encode") int encode(void *state)
{
  int wanted, length;
  speex_bits_init_buffer(&bits, packet, MAX_PACKET);
  wanted = speex_encode_int(state, samples, &bits);
  speex_bits_insert_terminator(&bits);
  length = speex_bits_nbytes(&bits);
  return wanted ? length : -1 - length;
}

EXPORT_AS("open") void open_packet(int length)
{
  speex_bits_set_bit_buffer(&bits, packet, length);
}

/* The next frame of the packet opened last: 0 when one was decoded. */
EXPORT_AS("decode") int decode(void *state) { return speex_decode_int(state, &bits, samples); }

/* What was probably in a frame that is lost. */
EXPORT_AS("conceal") void conceal(void *state) { speex_decode_int(state, 0, samples); }
