import { expect, it } from 'vitest';
import { asksForPicture, mediaControl, pictureFastUpdate } from '../../../plugin/signalling/in-call/media-control.js';

const rows: [name: string, type: string, body: string, asks: boolean][] = [
  ['what we send ourselves', mediaControl, pictureFastUpdate, true],
  ['an element with an end tag', mediaControl, '<picture_fast_update></picture_fast_update>', true],
  ['a type with parameters in capitals', 'Application/Media_Control+XML; charset=utf-8', pictureFastUpdate, true],
  [
    'another primitive',
    mediaControl,
    '<media_control><vc_primitive><to_encoder/></vc_primitive></media_control>',
    false,
  ],
  ['an element that only begins so', mediaControl, '<picture_fast_update_gob/>', false],
  ['another type', 'text/plain', pictureFastUpdate, false],
  ['nothing', mediaControl, '', false],
  ['far too much', mediaControl, `${' '.repeat(3000)}<picture_fast_update/>`, false],
];

it.each(rows)('%s', (_name, type, body, asks) => {
  expect(asksForPicture(type, body)).toBe(asks);
});
