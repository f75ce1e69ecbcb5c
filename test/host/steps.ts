// What the scripts print while they work: each step, how long it took, and which one failed.

/** A failure that tells the user what to do; only its message needs to be shown. */
export class Advice extends Error {
  override readonly name = 'Advice';
}

/** Runs one step of a script and prints its name and how long it took. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  console.log(`▸ ${name}`);
  try {
    const result = await work();
    console.log(`  ${name}: done in ${seconds()}`);
    return result;
  } catch (error) {
    console.error(`✖ ${name}: failed after ${seconds()}`);
    throw error;
  }
}

/** Runs a script: advice is printed as it is, any other error with its stack. */
export async function script(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Advice ? error.message : error);
    process.exitCode = 1;
  }
}
