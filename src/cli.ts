/** Arguments → command → exit code, and nothing else. Commands are loaded when they run, so that --help is quick. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CommandContext } from './commands/context.ts';
import { Exit, fail } from './errors.ts';
import { guardStreams } from './output/streams.ts';
import { version } from './version.ts';

type Run = (context: CommandContext) => Promise<number>;

/** Parse the arguments and run the command they name. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const chosen: { run: Run; json: boolean }[] = [];
  const program = describe((json, run) => {
    chosen.push({ run, json });
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return refused(error, argv.includes('--json'));
    throw error;
  }
  const [command] = chosen;
  if (!command) return Exit.usage;
  (await import('./commands/keep-compiled.ts')).keepCompiled();
  const { readContext } = await import('./commands/read-context.ts');
  const context = await readContext(command.json);
  // What a library throws from a timer of its own is told like any other error; the run itself lives at the home.
  process.once('uncaughtException', (error) => {
    process.exit(context.output.error(error));
  });
  try {
    return await command.run(context);
  } catch (error) {
    return context.output.error(error);
  }
}

/** What cannot be understood is said in words on standard error already; a program that asked for JSON reads that. */
async function refused({ exitCode, message }: CommanderError, json: boolean): Promise<number> {
  if (exitCode === 0) return Exit.done;
  if (!json) return Exit.usage;
  const { readContext } = await import('./commands/read-context.ts');
  const { output } = await readContext(json);
  return output.error(fail('USAGE', { message: message.replace(/^error: /, '') }));
}

function lineCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number.');
}

function describe(choose: (json: boolean, run: Run) => void): Command {
  const program = new Command('windlass')
    .description('Bring up an LLM serving cluster on bare GPU machines, in durable steps.')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(windlass --help lists the commands)')
    .helpCommand(false);
  const command = (name: string, summary: string) =>
    program
      .command(name)
      .description(summary)
      .argument('<file>', 'cluster file')
      .option('--json', 'print one JSON object')
      .exitOverride();

  command('check', 'run the named checks on every node; changes nothing').action(
    (file: string, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/check.ts')).check(file, context),
      );
    },
  );
  command('plan', 'show node by node what up would change; changes nothing').action(
    (file: string, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/plan.ts')).plan(file, context),
      );
    },
  );
  command('render', 'print the one JSON object that a workflow takes').action(
    (file: string, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/render.ts')).render(file, context),
      );
    },
  );
  command('up', 'bring the cluster up, or back to what the file says')
    .option('--detach', 'start the run and return')
    .action((file: string, options: Json & { detach?: boolean }) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/up.ts')).up(file, options, context),
      );
    });
  command('status', 'what is true now, since when, and the evidence')
    .option('--probe', 'ask the server for a completion now')
    .action((file: string, options: Json & { probe?: boolean }) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/status.ts')).status(file, options, context),
      );
    });
  command('retry', 'have a run that waits for a person look again now')
    .argument('[node]', 'what it waits for on this node only')
    .action((file: string, node: string | undefined, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/answer.ts')).answer('retry', file, node, context),
      );
    });
  command('approve', 'have a run that waits for a person go on despite it, where that is safe')
    .argument('[node]', 'what it waits for on this node only')
    .action((file: string, node: string | undefined, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/answer.ts')).answer('approve', file, node, context),
      );
    });
  command('cancel', 'end the run that is under way; what serves goes on').action(
    (file: string, options: Json) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/cancel.ts')).cancel(file, context),
      );
    },
  );
  command('logs', 'print the logs of a unit')
    .option('--node <name>', 'of this node only')
    .option('--unit <name>', 'engine, ray, wheels, venv, proof, model, lock or commit', 'engine')
    .option('-n, --lines <number>', 'how many lines from the end', lineCount, 50)
    .option('-f, --follow', 'go on as the log grows')
    .action(
      (file: string, options: Json & { node?: string; unit: string; lines: number; follow?: boolean }) => {
        choose(options.json === true, async (context) =>
          (await import('./commands/logs.ts')).logs(file, options, context),
        );
      },
    );
  command('down', 'stop what windlass started and prove that it is gone')
    .option('--purge', 'remove everything of windlass from the nodes; models stay')
    .action((file: string, options: Json & { purge?: boolean }) => {
      choose(options.json === true, async (context) =>
        (await import('./commands/down.ts')).down(file, options, context),
      );
    });
  command('home', 'where Temporal and the control worker live')
    .option('--start', 'start the home')
    .option('--stop', 'stop the home; nothing that serves is touched')
    .action((file: string, options: Json & { start?: boolean; stop?: boolean }) => {
      const action = options.start === true ? 'start' : options.stop === true ? 'stop' : 'show';
      choose(options.json === true, async (context) =>
        (await import('./commands/home.ts')).home(file, action, context),
      );
    });
  return program;
}

interface Json {
  readonly json?: boolean;
}

const isLost = guardStreams();
const exitCode = await main(process.argv.slice(2));
// The command has said its last word: what libraries still have on their timers must not hold the program.
const said = [process.stdout, process.stderr].map(
  (stream) =>
    new Promise<void>((resolve) => {
      stream.write('', () => {
        resolve();
      });
    }),
);
await Promise.all(said);
process.exit(exitCode === 0 && isLost() ? Exit.stepFailed : exitCode);
