/** Builds what facts.sh prints, from frames given by name; fixtures are kept in that form, so that people can read them. */
import { readFileSync } from 'node:fs';

export type FrameTexts = Readonly<Record<string, string | readonly string[] | undefined>>;

export function fixture(name: 'spark' | 'thor'): FrameTexts {
  return JSON.parse(readFileSync(new URL(`../../fixtures/facts/${name}.json`, import.meta.url), 'utf8'));
}

/** The answer with these frames; `undefined` leaves a frame of the fixture out. */
export function answerOf(frames: FrameTexts): string {
  const text = Object.entries(frames)
    .flatMap(([name, contents]) => {
      if (contents === undefined) return [];
      return [contents].flat().map((content) => `== ${name} ${Buffer.byteLength(content)}\n${content}\n`);
    })
    .join('');
  return envelope(Buffer.from(text));
}

/** Frames as bytes, in the base64 lines and marks of the script. */
export function envelope(frames: Buffer): string {
  const lines = frames.toString('base64').replace(/.{76}/g, '$&\n');
  return `windlass-facts 1\n${lines}\nwindlass-facts end\n`;
}
