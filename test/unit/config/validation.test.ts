/** Every wrong cluster file gets its sentence, with the path and the line of what is wrong. */
import { describe, expect, test } from '@jest/globals';
import { rows as engine } from './rows/engine.ts';
import { rows as hostile } from './rows/hostile.ts';
import { rows as schema } from './rows/schema.ts';
import { rows as secrets } from './rows/secrets.ts';
import { rows as topology } from './rows/topology.ts';
import { lineWith, problemsOf, sample } from './sample.ts';

describe.each(Object.entries({ schema, topology, engine, hostile, secrets }))('%s', (_, rows) => {
  test.each(rows)('%s', (_title, given, at, path, says) => {
    const text = sample(given);
    const problems = problemsOf(text);
    expect(problems.map((problem) => [problem.line, problem.path, problem.message])).toContainEqual([
      lineWith(text, at),
      path,
      expect.stringContaining(says),
    ]);
    expect(JSON.stringify(problems)).not.toContain('hf_abc');
  });
});

test('everything is told at once, and one wrong field does not hide the next', () => {
  const text = sample({
    nodes: `nodes:
  - { name: spark-1, address: 10.0.0.25, gpus: 1e3 }
  - { name: spark-1, address: 10.0.0.25, adress: 10.0.0.22 }`,
    more: `serving: { port: 70000, kvCacheDtype: fp8, extraArguments: [--host, 0.0.0.0] }
environments: { spark: { variables: { A B: x, PATH: /tmp } } }`,
  });
  expect(problemsOf(text).map((problem) => `${problem.line}: ${problem.path}`)).toEqual([
    '5: nodes[0].gpus',
    '6: nodes[1].adress',
    '6: nodes[1].name',
    '6: nodes[1].address',
    '10: serving.port',
    '10: serving.extraArguments[0]',
    '10: serving.kvCacheDtype',
    '11: environments.spark.variables["A B"]',
    '11: environments.spark.variables.PATH',
  ]);
});

test('no prototype is touched', () => {
  problemsOf(sample({ more: '__proto__: { polluted: 1 }' }));
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
