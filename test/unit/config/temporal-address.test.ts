import { describe, expect, test } from '@jest/globals';
import { parseTemporalAddress } from '../../../src/config/temporal-address.ts';

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
    expect(parseTemporalAddress(text)).toBeUndefined();
  });
});
