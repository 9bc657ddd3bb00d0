import { describe, expect, it } from '@jest/globals';
import { rayCommand } from '../../../activities/ray.ts';
import { machine } from './in-activity.ts';

const commandOf = (role: 'head' | 'worker') =>
  rayCommand(machine('/root'), {
    role,
    place: { environment: '0123456789abcdef' },
    headAddress: '10.0.0.25',
    nodeAddress: role === 'head' ? '10.0.0.25' : '10.0.0.22',
    port: 6379,
    gpus: 1,
    cpus: 4,
    objectStoreBytes: 100_000_000,
    variables: {},
  });

describe('Ray', () => {
  it.each(['head', 'worker'] as const)(
    'asks whoever comes to a %s for the token, by the path of its file',
    (role) => {
      const { args, env } = commandOf(role);
      expect(env).toMatchObject({ RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN_PATH: '/root/secrets/rayToken' });
      expect(args.join(' ')).not.toContain('token');
    },
  );

  it('has no dashboard on its head, and listens on the node’s own address', () => {
    const { args } = commandOf('head');
    expect(args).toEqual(
      expect.arrayContaining(['--head', '--include-dashboard=false', '--node-ip-address=10.0.0.25']),
    );
    // Ray 2.60 refuses the option on a worker, which has no dashboard.
    expect(commandOf('worker').args.join(' ')).not.toContain('dashboard=');
    expect(commandOf('worker').args).toContain('--node-ip-address=10.0.0.22');
  });
});
