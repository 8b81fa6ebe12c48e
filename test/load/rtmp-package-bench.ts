import { Figures } from './figures.js';
import { measureChunks } from './rtmp/chunks.js';

const figures = new Figures();
measureChunks(figures);
figures.print();
