// Serves the Node package on loopback: node node_package.mjs FOLDER_OF_NODE_MODULES PROVIDER_URL
import { once } from 'node:events';
import net from 'node:net';

const [folder, baseUrl] = process.argv.slice(2);
process.chdir(folder); // the package reads a .env of the working directory

// It knows no address to bind to, only a port.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ready) { return listen.call(this, port, '127.0.0.1', ready); };

const { startServer } = await import(`${folder}/node_modules/ai-inference-stepper/dist/server/start.js`);
const { server } = await startServer({
  port: 0,
  init: {
    config: { security: { apiKey: { enabled: false } } },
    // An infinite rate cannot come from its environment, which rounds the pause between calls up to a millisecond.
    providers: [{ name: 'openai', enabled: true, baseUrl, apiKey: 'k', modelName: 'm-1', timeout: 3_000_000,
                  rateLimitRPS: Infinity, concurrency: 4096 }],
  },
});
if (!server.listening) await once(server, 'listening');
console.log(`listening on http://127.0.0.1:${server.address().port}`);
