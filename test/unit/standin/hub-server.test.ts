// The stand-in hub as Hugging Face's client asks it, and the tiny model that it serves.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Hub, startHub } from '../../standin/hub-server.ts';
import { makeTinyModels, tinyModelId } from '../../standin/model.ts';

let folder: string;
let hub: Hub;
let commits: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-hub-'));
  commits = (await makeTinyModels(folder)).map(({ commit }) => commit);
  hub = await startHub({ port: 0, modelsDir: folder });
});

afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

describe('the stand-in hub', () => {
  test('makes the same model every time, and two revisions of it', async () => {
    const again = await mkdtemp(join(tmpdir(), 'windlass-hub-'));
    expect((await makeTinyModels(again)).map(({ commit }) => commit)).toEqual(commits);
    expect(commits[0]).not.toBe(commits[1]);
    await rm(again, { recursive: true });
  });

  test('resolves a branch to a commit and lists files with their sizes', async () => {
    const info = (await (await fetch(`${hub.url}/api/models/${tinyModelId}/revision/main`)).json()) as object;
    expect(info).toMatchObject({ id: tinyModelId, sha: commits[1] });
    const tree = (await (
      await fetch(`${hub.url}/api/models/${tinyModelId}/tree/v1?recursive=true`)
    ).json()) as { path: string; size: number }[];
    expect(tree.map(({ path }) => path)).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      ...[1, 2, 3, 4].map((shard) => `model-0000${shard}-of-00004.safetensors`),
      'model.safetensors.index.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(tree.find(({ path }) => path.startsWith('model-00001'))?.size).toBeGreaterThan(2_000_000);
  });

  test('tells the commit and the hash of a file before it sends it, and resumes', async () => {
    const url = `${hub.url}/${tinyModelId}/resolve/main/model-00001-of-00004.safetensors`;
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('x-repo-commit')).toBe(commits[1]);
    expect(head.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
    expect(head.headers.get('x-linked-size')).toBe(head.headers.get('content-length'));
    const rest = await fetch(url, { headers: { Range: 'bytes=2000000-' } });
    expect(rest.status).toBe(206);
    expect((await rest.arrayBuffer()).byteLength).toBe(
      Number(head.headers.get('content-length')) - 2_000_000,
    );
  });

  test.each([
    ['api/models/nobody/nothing/revision/main', 404, 'RepoNotFound'],
    [`api/models/${tinyModelId}/revision/gone`, 404, 'RevisionNotFound'],
    [`${tinyModelId}/resolve/main/none.json`, 404, 'EntryNotFound'],
  ])('refuses %s', async (path, status, code) => {
    const answer = await fetch(`${hub.url}/${path}`);
    expect([answer.status, answer.headers.get('x-error-code')]).toEqual([status, code]);
  });

  test('wants the token of a gated model', async () => {
    const gated = await startHub({ port: 0, modelsDir: folder, gated: { [tinyModelId]: 'hf_lab' } });
    const url = `${gated.url}/${tinyModelId}/resolve/main/config.json`;
    const statuses = [];
    for (const token of [undefined, 'hf_other', 'hf_lab']) {
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const answer = await fetch(url, { headers });
      statuses.push([answer.status, answer.headers.get('x-error-code')]);
    }
    expect(statuses).toEqual([
      [401, 'GatedRepo'],
      [403, 'GatedRepo'],
      [200, null],
    ]);
    await gated.close();
  });
});
