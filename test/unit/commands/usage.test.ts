/** Arguments that cannot be understood: in words for people, an object where JSON was asked for, exit 2 for both. */
import { expect, it } from '@jest/globals';
import { execa } from 'execa';

const typed = (...args: string[]) =>
  execa(process.execPath, ['--import', 'tsx', 'src/cli.ts', ...args], { reject: false, stdin: 'ignore' });

it.each([
  { args: ['up'], message: "missing required argument 'file'" },
  { args: ['frob'], message: "unknown command 'frob'" },
  { args: ['up', 'FILE', '--jsn'], message: "unknown option '--jsn'\n(Did you mean --json?)" },
])('$args are refused, also as JSON', async ({ args, message }) => {
  const words = await typed(...args);
  expect(words).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(message) });

  const asJson = await typed(...args, '--json');
  expect(asJson).toMatchObject({ exitCode: 2, stderr: words.stderr });
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    ok: false,
    exitCode: 2,
    errors: [{ code: 'USAGE', message }],
  });
});
