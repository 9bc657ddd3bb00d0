const project = (name, extra) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/out'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  // At the end of a test file Jest wraps what lies on its global object so that a later assignment calls its own
  // setter without end (jest-util 30, deleteProperty). execa counts there the programs that run: one that ends a
  // moment after its file would fail the next one.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  ...extra,
});
const temporal = {
  globalSetup: '<rootDir>/test/support/setup.ts',
  globalTeardown: '<rootDir>/test/support/teardown.ts',
};

const lab = { globalSetup: '<rootDir>/test/lab/setup.ts' };

export default {
  projects: [
    project('unit'),
    project('workflow', temporal),
    project('replay', { globalSetup: '<rootDir>/test/support/bundle.ts' }),
    project('lab', lab),
    project('emulated', lab),
  ],
  testSequencer: '<rootDir>/test/support/lab-order.mjs',
  coverageProvider: 'v8',
  collectCoverageFrom: ['{src,workflows,activities,workers}/**/*.ts'],
  reporters: ['default', '<rootDir>/test/support/count-reporter.mjs'],
};
