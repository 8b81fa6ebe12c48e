import { describe, expect, it } from 'vitest';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender, type PacketSink } from '../../../plugin/media/audio/audio-sender.js';
import { agreeAudio, type ReceiveFormats } from '../../../plugin/media/negotiation/formats.js';
import { buildRtcp, parseRtcp, type ReportBlock, type RtcpPacket } from '../../../plugin/media/rtp/rtcp.js';
import { RtcpSession } from '../../../plugin/media/rtp/rtcp-session.js';
import { buildRtp, parseRtp } from '../../../plugin/media/rtp/rtp.js';
import { flv, wideband } from './speex-frames.js';

const formats: ReceiveFormats = agreeAudio({
  address: '127.0.0.1',
  media: [
    {
      kind: 'audio',
      port: 4000,
      protocol: 'RTP/AVP',
      direction: 'sendrecv',
      formats: [{ payloadType: 96, encoding: 'speex', clockRate: 16000 }],
    },
  ],
}).receive;

const out: PacketSink = { sendRtp: () => {} };

class End {
  readonly sender = new AudioSender({ payloadType: 96, clockRate: 16000, ssrc: 42, sequence: 0, timestamp: 0, out });
  readonly receiver = new AudioReceiver({ formats, player: { play: () => true } });
  readonly rtcp = new RtcpSession({ cname: 'me', sender: this.sender, receiver: this.receiver });

  send(...timestamps: number[]): void {
    for (const timestamp of timestamps) {
      this.sender.write({ kind: 'audio', timestamp, payload: flv(wideband(0)) }, timestamp);
    }
  }

  hear(...sequences: number[]): void {
    for (const sequence of sequences) {
      const fields = { payloadType: 96, marker: false, sequence, timestamp: sequence * 320, ssrc: 7 };
      const packet = parseRtp(buildRtp(fields, wideband(0)));
      if (typeof packet !== 'string') this.receiver.receive(packet, sequence * 20);
    }
  }

  report(now: number, bye = false): readonly RtcpPacket[] {
    const packets = parseRtcp(this.rtcp.report(now, bye));
    if (typeof packets === 'string') throw new Error(packets);
    return packets;
  }
}

const emptyBlock: ReportBlock = {
  ssrc: 42,
  fractionLost: 0,
  cumulativeLost: 0,
  highestSequence: 0,
  jitter: 0,
  lastSenderReport: 0,
  delaySinceLastSenderReport: 0,
};

describe('our report', () => {
  it('has the jitter in ticks of the clock that is heard, whatever we send by', () => {
    const receiver = { ssrc: 7, highestSequence: 1, lost: 0, jitter: 10, clockRate: 8000 };
    const { sender } = new End();
    const packets = parseRtcp(new RtcpSession({ cname: 'me', sender, receiver }).report(0));
    expect(packets).toMatchObject([{ blocks: [{ ssrc: 7, jitter: 80 }] }, {}]);
  });

  it('is an empty receiver report before anything flows', () => {
    expect(new End().report(0)).toEqual([{ type: 'rr', ssrc: 42, blocks: [] }, { type: 'sdes' }]);
  });

  it('is a sender report while we send, a receiver report after', () => {
    const end = new End();
    end.send(1000, 1020, 1040);
    expect(end.report(1550)).toMatchObject([
      {
        type: 'sr',
        // 1.55 s: .55 * 2^32; the RTP time is that of the last frame, 40 ms, and 510 ms more
        sender: { ntpSeconds: 1, ntpFraction: 2362232012, rtpTimestamp: 550 * 16, packets: 3, octets: 126 },
      },
      {},
    ]);
    expect(end.report(6550)).toMatchObject([{ type: 'rr' }, {}]);
    end.send(7000);
    expect(end.report(7550)).toMatchObject([{ type: 'sr', sender: { packets: 4 } }, {}]);
  });

  it('ends with BYE when asked', () => {
    expect(new End().report(0, true)).toContainEqual({ type: 'bye', ssrcs: [42] });
  });

  it('says what was lost, at all and since the last report', () => {
    const end = new End();
    end.hear(65533, 65534, 65535, 0, 1);
    expect(end.report(0)).toMatchObject([
      { blocks: [{ ssrc: 7, fractionLost: 0, cumulativeLost: 0, highestSequence: 65537 }] },
      {},
    ]);
    end.hear(2, 4, 5, 6); // 3 is lost; the wait is over with 6
    // 5 expected since, 1 lost: 51/256
    expect(end.report(0)).toMatchObject([
      { blocks: [{ fractionLost: 51, cumulativeLost: 1, highestSequence: 65542 }] },
      {},
    ]);
    end.hear(7, 8);
    expect(end.report(0)).toMatchObject([{ blocks: [{ fractionLost: 0, cumulativeLost: 1 }] }, {}]);
  });

  it('says of a packet that came after all that it is not lost', () => {
    const end = new End();
    end.hear(1, 3, 4, 5);
    expect(end.report(0)).toMatchObject([{ blocks: [{ cumulativeLost: 1 }] }, {}]);
    end.hear(2, 6);
    expect(end.report(0)).toMatchObject([{ blocks: [{ fractionLost: 0, cumulativeLost: 0 }] }, {}]);
  });

  it("repeats the time of the peer's sender report", () => {
    const end = new End();
    end.hear(1);
    const sender = { ntpSeconds: 0x11112222, ntpFraction: 0x33334444, rtpTimestamp: 0, packets: 1, octets: 1 };
    end.rtcp.receive(buildRtcp({ ssrc: 7, sender, cname: 'far' }), 1000);
    expect(end.report(1500)).toMatchObject([
      { blocks: [{ lastSenderReport: 0x22223333, delaySinceLastSenderReport: 0x8000 }] },
      {},
    ]);
  });

  it('repeats nothing of another source than it tells of', () => {
    const end = new End();
    end.hear(1);
    const sender = { ntpSeconds: 1, ntpFraction: 1, rtpTimestamp: 0, packets: 1, octets: 1 };
    end.rtcp.receive(buildRtcp({ ssrc: 8, sender, cname: 'far' }), 1000);
    expect(end.report(1500)).toMatchObject([
      { blocks: [{ ssrc: 7, lastSenderReport: 0, delaySinceLastSenderReport: 0 }] },
      {},
    ]);
  });
});

describe("the peer's BYE", () => {
  it('ends what is told of its source, until that goes on', () => {
    const end = new End();
    end.hear(1, 2);
    end.rtcp.receive(buildRtcp({ ssrc: 7, cname: 'far', bye: true }), 1000);
    expect(end.report(1500)).toEqual([{ type: 'rr', ssrc: 42, blocks: [] }, { type: 'sdes' }]);
    end.hear(3);
    expect(end.report(2000)).toMatchObject([{ blocks: [{ ssrc: 7, highestSequence: 3 }] }, {}]);
  });

  it('of another source means nothing', () => {
    const end = new End();
    end.hear(1);
    end.rtcp.receive(buildRtcp({ ssrc: 8, cname: 'far', bye: true }), 1000);
    expect(end.report(1500)).toMatchObject([{ blocks: [{ ssrc: 7 }] }, {}]);
  });
});

describe("the peer's report", () => {
  it('tells its losses and the time there and back', () => {
    const end = new End();
    end.send(0);
    end.report(10_000); // middle bits of 10.0 s: 10 * 65536
    const block = { ...emptyBlock, cumulativeLost: 3, lastSenderReport: 10 * 65536, delaySinceLastSenderReport: 65536 };
    end.rtcp.receive(buildRtcp({ ssrc: 7, block, cname: 'far' }), 11_250);
    expect(end.rtcp.remoteLost).toBe(3);
    expect(end.rtcp.roundTrip).toBeCloseTo(250, 5);
  });

  it('about another source is none of ours', () => {
    const end = new End();
    end.rtcp.receive(buildRtcp({ ssrc: 7, block: { ...emptyBlock, ssrc: 1, cumulativeLost: 3 }, cname: 'far' }), 0);
    expect(end.rtcp).toMatchObject({ remoteLost: 0, roundTrip: undefined });
  });

  it('never makes a negative time or loss', () => {
    const end = new End();
    const block = {
      ...emptyBlock,
      cumulativeLost: -3,
      lastSenderReport: 10 * 65536,
      delaySinceLastSenderReport: 99_999,
    };
    end.rtcp.receive(buildRtcp({ ssrc: 7, block, cname: 'far' }), 10_000);
    expect(end.rtcp).toMatchObject({ remoteLost: 0, roundTrip: 0 });
  });

  it('that is none is counted', () => {
    const end = new End();
    end.rtcp.receive(Uint8Array.of(1, 2, 3), 0);
    expect(end.rtcp.malformed).toBe(1);
  });
});
