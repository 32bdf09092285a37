// Serves the page on this machine and prints its address. Any static host would do as well.
//
//     node examples/browser/serve.mjs [--folder FOLDER] [--port PORT]

import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import sirv from 'sirv';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(root, 'out', 'page') },
    port: { type: 'string', default: '8000' },
  },
});

// `dev`: files are looked up at each request, so that a build shows at the next reload.
const server = createServer(sirv(values.folder, { dev: true }));

server.on('error', (error) => {
  const help =
    error.code === 'EADDRINUSE'
      ? `port ${values.port} is taken: npm run page -- --port ${Number(values.port) + 1}`
      : error.message;
  console.error(`The page cannot be served: ${help}`);
  process.exit(1);
});

server.listen(Number(values.port), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/   (Ctrl+C ends it)`);
});
