import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';

interface MediaEmitter {
  emit(event: 'audio', message: AudioMessage): boolean;
  emit(event: 'video', message: VideoMessage): boolean;
  emit(event: 'data', message: DataMessage): boolean;
}

/** @returns whether anybody wanted it */
export function emitMedia(stream: MediaEmitter, message: AudioMessage | VideoMessage | DataMessage): boolean {
  switch (message.type) {
    case 'audio':
      return stream.emit('audio', message);
    case 'video':
      return stream.emit('video', message);
    case 'data':
      return stream.emit('data', message);
  }
}
