/** A Temporal service of one's own: on the head's loopback, or consented to in so many words. */
import { describe, expect, test } from '@jest/globals';
import { lineWith, problemsOf, read, sample } from './sample.ts';

const temporal = (fields: string) => ({ more: `temporal: { ${fields} }` });

test.each(['127.0.0.1:7233', '127.8.0.1:7233', '[::ffff:7f00:1]:7233', '[::1]:7233', 'localhost:7233'])(
  '%s is on the loopback of the head',
  (address) => {
    expect(problemsOf(sample(temporal(`address: "${address}"`)))).toEqual([]);
  },
);

describe.each([
  '10.0.0.25:7233',
  '0.0.0.0:7233',
  '[fd00::1]:7233',
  'temporal.example:7233',
  'localhost.example:7233',
  '127.0.0.1.example:7233',
])('%s', (address) => {
  test('is refused, with the reason and both ways out', () => {
    const text = sample(temporal(`address: "${address}"`));
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ path: 'temporal.address', line: lineWith(text, 'temporal') });
    expect(problem?.message).toMatch(/plain text.* 127\.0\.0\.1:7233.* temporal\.plaintext: true$/);
    expect(problem?.message.startsWith(`${address} is not on the head’s loopback`)).toBe(true);
  });

  test('is taken where the file consents', () => {
    expect(read(sample(temporal(`address: "${address}", plaintext: true`))).temporal.address).toBe(address);
  });

  test('is refused where the file declines', () => {
    expect(problemsOf(sample(temporal(`address: "${address}", plaintext: false`)))).toHaveLength(1);
  });
});

test('consent has to be true or false, and another value is none', () => {
  const problems = problemsOf(sample(temporal('address: "10.0.0.25:7233", plaintext: "yes"')));
  expect(problems.map(({ path }) => path)).toEqual(['temporal.plaintext', 'temporal.address']);
});
