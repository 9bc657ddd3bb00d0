/** A model that lies in a folder of its owner: what it must hold, and whose it must be. */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stageModel } from '../../../activities/model.ts';
import { ModelInput } from '../../../src/cluster/inputs.ts';
import { base, inActivity, machine } from './in-activity.ts';

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-model-'));
  root = mkdtempSync(join(tmpdir(), 'windlass-root-'));
  put('config.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  rmSync(root, { recursive: true });
});

const put = (name: string, text = '{}'): void => {
  writeFileSync(join(folder, name), text);
};

const stage = (allowPickle = false) =>
  inActivity(async () =>
    stageModel(machine(root))(
      ModelInput.parse({
        ...base(root),
        key: '0123456789abcdef',
        model: { path: folder },
        allowPickle,
        index: 'http://127.0.0.1:1/simple',
        python: '3.12',
        withToken: false,
      }),
    ),
  );

describe('a folder with a model', () => {
  test('is taken as it is, and measured', async () => {
    put('model.safetensors', 'weights');
    await expect(stage()).resolves.toMatchObject({
      changed: false,
      marker: { path: folder, files: 2, bytes: 9, commit: null },
    });
  });

  test('may hold other weights beside safetensors, which engines prefer', async () => {
    put('model.safetensors');
    put('pytorch_model.bin');
    await expect(stage()).resolves.toMatchObject({ marker: { files: 3 } });
  });

  test('is refused where only weights are that can run code, unless the file consents', async () => {
    put('pytorch_model.bin');
    await expect(stage()).rejects.toMatchObject({
      type: 'MODEL_PICKLED',
      message: expect.stringContaining('pytorch_model.bin'),
    });
    await expect(stage(true)).resolves.toMatchObject({ marker: { files: 2 } });
  });

  test('is refused where a shard of its index is missing', async () => {
    put('model.safetensors.index.json', JSON.stringify({ weight_map: { a: 'model-1.safetensors' } }));
    await expect(stage()).rejects.toMatchObject({ type: 'MODEL_INCOMPLETE' });
  });

  test('is refused where everybody may write to it', async () => {
    put('model.safetensors');
    chmodSync(folder, 0o777);
    await expect(stage()).rejects.toMatchObject({ type: 'MODEL_FOREIGN' });
  });

  // Only root can give a folder away.
  (process.getuid?.() === 0 ? test : test.skip)('is refused where it is another user’s', async () => {
    put('model.safetensors');
    chownSync(folder, 12_345, 12_345);
    await expect(stage()).rejects.toMatchObject({
      type: 'MODEL_FOREIGN',
      message: expect.stringContaining('uid 12345'),
    });
  });
});
