/** Variables of the operator's environment, as a value: nothing but the entry reads the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;
