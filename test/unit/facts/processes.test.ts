import { describe, expect, it } from '@jest/globals';
import { commandOf, readStat, unitOf, withoutEmulator } from '../../../src/cluster/facts/processes.ts';

const rest = 'S 1 2 3 0 -1 4194304 1 0 0 0 10 5 0 0 20 0 4 0 4711 1 1';

describe('the stat line', () => {
  it.each([
    ['7 (bash) ', 'bash'],
    ['7 (a) b (c) ', 'a) b (c'],
    ['7 (tmux: server) ', 'tmux: server'],
    ['7 (() ', '('],
    ['7 ()) ', ')'],
    ['7 (x\\n9 (y) ', 'x\\n9 (y'],
  ])('%s…', (begin, name) => {
    expect(readStat(begin + rest)).toEqual({ name, startTicks: 4711 });
  });

  it.each(['', '7', '7 (bash', '7 (bash) S', ') ('])('takes "%s" for none', (line) => {
    expect(readStat(line)).toBeNull();
  });

  it.each(['Z', 'X'])('of a process that has ended (%s) and is still listed is that of none', (state) => {
    expect(readStat(`7 (raylet) ${rest.replace('S', state)}`)).toBeNull();
  });
});

describe('emulated processes', () => {
  it.each([
    ['/usr/bin/qemu-aarch64-static', '/usr/bin/python3.11', 'python3', '-m', 'x'],
    ['/usr/libexec/qemu-binfmt/aarch64-binfmt-P', '/usr/bin/python3.11', 'python3', '-m', 'x'],
    ['/usr/bin/qemu-aarch64', '/usr/bin/python3.11', 'python3', '-m', 'x'],
  ])('%s is not the program', (...args) => {
    expect(withoutEmulator(args)).toEqual(['python3', '-m', 'x']);
  });

  it.each([['/usr/bin/qemu-system-aarch64', '-m', '4096'], ['/usr/bin/qemu-img', 'info'], ['python3'], []])(
    'leaves %s alone',
    (...args) => {
      expect(withoutEmulator(args)).toEqual(args);
    },
  );
});

describe('the command', () => {
  const process = {
    pid: 1,
    startTicks: 1,
    uid: 0,
    user: 'root',
    controlGroup: null,
    unit: null,
    userUnit: false,
  };
  it.each([
    [
      'a title that shows in the arguments',
      'ray::SchedulerA',
      ['ray::SchedulerActor.run'],
      'ray::SchedulerActor.run',
    ],
    [
      'a title that only the kernel knows',
      'ray::SchedulerA',
      ['python3', 'default_worker.py'],
      'ray::SchedulerA',
    ],
    ['no arguments', 'raylet', [], 'raylet'],
    ['ordinary arguments', 'python3', ['python3', '-m', 'x'], 'python3 -m x'],
    ['an argument with a line end', 'sh', ['sh', '-c', 'a\nb'], 'sh -c a\\u000ab'],
  ])('%s', (_what, name, args, command) => {
    expect(commandOf({ ...process, name, args })).toBe(command);
  });

  it('is cut to 300 characters', () => {
    expect(commandOf({ ...process, name: 'x', args: ['y'.repeat(9000)] })).toHaveLength(300);
  });
});

describe('the unit of a control group', () => {
  it.each([
    ['/system.slice/redis-server.service', 'redis-server.service', false],
    [
      '/user.slice/user-1000.slice/user@1000.service/app.slice/windlass-ray-1.service',
      'windlass-ray-1.service',
      true,
    ],
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/inner', 'a.service', true],
    ['/user.slice/user-1000.slice/session-3.scope', null, false],
    ['/user.slice/user-1000.slice/user@1000.service', null, false],
    ['/', null, false],
    [null, null, false],
  ])('%s', (group, unit, userUnit) => {
    expect(unitOf(group)).toEqual({ unit, userUnit });
  });
});
