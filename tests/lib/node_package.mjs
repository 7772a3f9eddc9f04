// Serves the Node package on loopback: node node_package.mjs FOLDER_OF_NODE_MODULES OPTIONS
// OPTIONS is JSON: {"config": {...}, "providers": [...], "jobPauseMs": N}, all of it optional. Without providers its own
// environment names them; what is no option is set by its environment, too.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { pathToFileURL } from 'node:url';

const [folder, json] = process.argv.slice(2);
const { jobPauseMs, providers, config } = JSON.parse(json);
process.chdir(folder); // the package reads a .env of the working directory

// It knows no address to bind to, only a port.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ready) { return listen.call(this, port, '127.0.0.1', ready); };

const home = `${folder}/node_modules/ai-inference-stepper/dist/server/start.js`;
if (jobPauseMs !== undefined) {
  // A job that failed is tried again after 10 s, and after twice as long each time; no setting says otherwise.
  const { Queue } = createRequire(home)('bullmq');
  const add = Queue.prototype.add;
  Queue.prototype.add = function (name, data, options) {
    return add.call(this, name, data, options.backoff ? { ...options, backoff: { type: 'fixed', delay: jobPauseMs } } : options);
  };
}

const { startServer } = await import(pathToFileURL(home));
const { server } = await startServer({
  port: 0,
  init: {
    config,
    // An infinite rate cannot come from its environment, which rounds the pause between calls up to a millisecond.
    providers: providers?.map((provider) => ({ rateLimitRPS: Infinity, ...provider })),
  },
});
if (!server.listening) await once(server, 'listening');
console.log(`listening on http://127.0.0.1:${server.address().port}`);
