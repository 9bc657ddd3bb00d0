import { describe, expect, test } from '@jest/globals';
import { parseTemporalAddress, readEnvironment } from '../../../src/config/environment.ts';

describe('parseTemporalAddress', () => {
  const right: readonly (readonly [text: string, host: string, port: number])[] = [
    ['localhost:7233', 'localhost', 7233],
    ['10.0.0.25:1', '10.0.0.25', 1],
    ['temporal.example.com:65535', 'temporal.example.com', 65535],
    ['[::1]:7233', '::1', 7233],
    ['[fd00::25]:443', 'fd00::25', 443],
  ];
  test.each(right)('reads %s', (text, host, port) => {
    expect(parseTemporalAddress(text)).toEqual({ host, port });
  });

  const wrong = [
    'http://x:7233',
    ':7233',
    'x',
    '',
    'x:',
    'x:0',
    'x:99999',
    'x:1e3',
    'x:7233/',
    'x:7233 ',
    '::1:7233',
    '[::1]',
    '[1.2.3]:7233',
    '[10.0.0.1]:7233',
    '-oProxyCommand=x:1',
    'x;id:7233',
    'x\n:7233',
  ];
  test.each(wrong)('refuses %j (X57)', (text) => {
    expect(() => parseTemporalAddress(text)).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID', exitCode: 2 }),
    );
  });
});

describe('readEnvironment', () => {
  test('takes what it knows and nothing else', () => {
    const environment = readEnvironment({
      HOME: '/home/dgx',
      PATH: '/bin',
      SSH_AUTH_SOCK: '/run/agent',
      TEMPORAL_ADDRESS: '10.0.0.25:7233',
      PIP_INDEX_URL: 'https://pip.example/simple',
      UV_DEFAULT_INDEX: 'https://uv.example/simple',
      WINDLASS_TEMPORAL: '/opt/temporal',
      SECRET: 'x',
      NO_COLOR: '1',
    });
    expect(environment).toMatchObject({
      home: '/home/dgx',
      cacheFolder: '/home/dgx/.cache',
      sshAgent: '/run/agent',
      temporalAddress: '10.0.0.25:7233',
      packageIndex: 'https://uv.example/simple',
      isPlain: true,
      isUnattended: false,
      windlass: { TEMPORAL: '/opt/temporal' },
    });
    expect(JSON.stringify(environment)).not.toContain('SECRET');
    expect(Object.isFrozen(environment)).toBe(true);
  });

  test('takes an empty variable for one that is not set', () => {
    const { temporalAddress, isPlain, cacheFolder } = readEnvironment({
      HOME: '/home/dgx',
      TEMPORAL_ADDRESS: '',
      NO_COLOR: '',
      XDG_CACHE_HOME: '',
    });
    expect({ temporalAddress, isPlain, cacheFolder }).toEqual({
      temporalAddress: undefined,
      isPlain: false,
      cacheFolder: '/home/dgx/.cache',
    });
  });

  test('is plain on a terminal that can do nothing', () => {
    expect(readEnvironment({ TERM: 'dumb' }).isPlain).toBe(true);
  });
});
