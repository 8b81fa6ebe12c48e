export interface Figure {
  readonly figure: string;
  readonly value: string;
  readonly goal: string;
}

/** What a run has measured, in the order in which it was. */
export class Figures {
  readonly #rows: Figure[] = [];

  add(figure: string, value: string, goal = ''): void {
    this.#rows.push({ figure, value, goal });
  }

  print(): void {
    console.table(this.#rows);
  }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(2)} ms`;
export const percent = (part: number, digits = 1): string => `${(part * 100).toFixed(digits)} %`;
export const progress = (text: string): boolean => process.stderr.write(`${text}\n`);
