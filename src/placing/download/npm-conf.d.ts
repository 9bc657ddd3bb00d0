declare module '@pnpm/npm-conf' {
  /** npm's settings, stacked as npm stacks them: environment, project, user, global, defaults. */
  interface NpmConf {
    readonly config: { get(key: string): unknown };
  }
  export default function npmConf(): NpmConf;
}
