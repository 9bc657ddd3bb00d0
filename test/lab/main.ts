/**
 * The lab by hand: `npm run lab -- up`, then `ssh HOST`, `exec HOST COMMAND…`, faults, `down`.
 * The lab that `up` leaves running belongs to nobody: it stays until `down`.
 */
import { Command } from 'commander';
import { execa } from 'execa';
import { parseAarch64 } from './hosts.ts';
import { Lab } from './lab.ts';
import { defaultLabName, namesOf } from './names.ts';
import { inNetwork } from './network.ts';
import { program as windlass, programEnvironment, repository } from './stage.ts';
import { leftovers, readLabs, sweepAll, tearDown } from './tear-down.ts';

const program = new Command('lab').description(
  'Four real hosts on this machine, in a network without a way out.',
);
program.enablePositionalOptions();
const nameOption = ['--name <name>', 'which lab', defaultLabName()] as const;
const say = (sentence: string) => {
  console.log(sentence);
};

program
  .command('up')
  .description('boot the lab and leave it running')
  .option(...nameOption)
  .option('--aarch64 <hosts>', 'hosts that shall be aarch64, separated by commas, or `all`')
  .option('--only <hosts>', 'the hosts wanted, separated by commas')
  .action(async ({ name, aarch64, only }: { name: string; aarch64?: string; only?: string }) => {
    const lab = await Lab.start({
      name,
      stays: true,
      log: say,
      ...(aarch64 === undefined ? {} : { aarch64: parseAarch64(aarch64) }),
      ...(only === undefined ? {} : { only: only.split(',') }),
    });
    say(`lab ${name} is up: ${lab.hosts.map((host) => `${host.name} ${host.address}`).join(', ')}`);
  });

program
  .command('down')
  .description('take the lab down')
  .option(...nameOption)
  .action(async ({ name }: { name: string }) => {
    await tearDown(name);
    const left = await leftovers(name);
    if (left.length > 0) throw new Error(`still there: ${left.join('; ')}`);
    say(`lab ${name} is down`);
  });

program
  .command('status')
  .description('show the labs on this machine and their hosts')
  .action(async () => {
    for (const name of await readLabs()) {
      const lab = await Lab.attach(name).catch(() => undefined);
      say(lab ? name : `${name}: its keeper is dead; remove it: npm run lab -- sweep`);
      for (const host of lab?.hosts ?? []) {
        const state = (await host.isOn()) ? 'on' : 'off';
        say(`  ${host.name}  ${host.address}  ssh ${host.sshAddress}  ${host.arch}  ${state}`);
      }
    }
  });

program
  .command('exec')
  .description('run a command inside a host, as dgx')
  .option(...nameOption)
  .option('--root', 'as root')
  .argument('<host>')
  .argument('<command...>')
  .passThroughOptions()
  .action(async (host: string, command: string[], { name, root }: { name: string; root?: true }) => {
    const lab = await Lab.attach(name);
    const options = { user: root ? 'root' : 'dgx', stdio: 'inherit', reject: false } as const;
    const argv = command[0] === '--' ? command.slice(1) : command;
    process.exitCode = (await lab.host(host).exec(argv, options)).exitCode ?? 1;
  });

program
  .command('ssh')
  .description('log in to a host as the operator does; without a host, open a shell as the operator')
  .option(...nameOption)
  .argument('[host]')
  .argument('[command...]')
  .passThroughOptions()
  .action(async (host: string | undefined, command: string[], { name }: { name: string }) => {
    const lab = await Lab.attach(name);
    const argv = host === undefined ? ['bash', '--norc'] : ['ssh', host, ...command];
    const result = await execa('nsenter', inNetwork(namesOf(name), ...argv), {
      stdio: 'inherit',
      env: lab.operatorEnv(),
      reject: false,
    });
    process.exitCode = result.exitCode ?? 1;
  });

program
  .command('windlass')
  .description('run the built program as the operator does')
  .option(...nameOption)
  .argument('<arguments...>')
  .passThroughOptions()
  .action(async (args: string[], { name }: { name: string }) => {
    const lab = await Lab.attach(name);
    const options = {
      cwd: repository,
      stdio: 'inherit',
      reject: false,
      env: programEnvironment(),
    } as const;
    process.exitCode = (await lab.exec(process.execPath, [windlass, ...args], options)).exitCode ?? 1;
  });

const faults = {
  boot: 'switch a host on',
  'power-cut': 'cut a host off from power',
  reboot: 'cut a host off from power and switch it on',
  'cut-off': "pull a host's cables",
  freeze: 'stop every process of a host',
  heal: 'undo all faults of a host',
} as const;
for (const [fault, description] of Object.entries(faults))
  program
    .command(fault)
    .description(description)
    .option(...nameOption)
    .argument('<host>')
    .action(async (hostName: string, { name }: { name: string }) => {
      const host = (await Lab.attach(name)).host(hostName);
      const acts: Record<keyof typeof faults, () => Promise<void>> = {
        boot: () => host.boot(),
        'power-cut': () => host.powerCut(),
        reboot: () => host.reboot(),
        'cut-off': () => host.cutOff(),
        freeze: () => host.freeze(),
        heal: () => host.heal(),
      };
      await acts[fault as keyof typeof faults]();
    });

program
  .command('sweep')
  .description('remove labs whose keeper has died')
  .action(async () => {
    const swept = await sweepAll();
    say(swept.length > 0 ? `removed ${swept.join(', ')}` : 'nothing to remove');
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
