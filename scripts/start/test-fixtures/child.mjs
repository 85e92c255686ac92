/** A process that behaves as BEHAVIOUR says; for the tests of the supervisor. */
const behaviour = process.env.BEHAVIOUR;
if (behaviour === 'fails') {
  process.stderr.write('the reason why\n');
  process.exit(1);
}
process.on('SIGTERM', () => behaviour === 'stubborn' || process.exit(0));
process.on('disconnect', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'up' })}\n`);
process.send({ ready: true, name: 'child', httpPort: 1, opsPort: 2 });
