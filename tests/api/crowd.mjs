// crowd.mjs: a process of its own with connections that do harm by being there: node crowd.mjs PORT IDLE DRIPPING
//
// IDLE connections send nothing, or one request and then nothing; DRIPPING ones send a request a byte at a time, for ever, and begin anew when the server has
// closed them. Writes "ready" when all are there, and goes on until its standard input ends.
import net from 'node:net';

const [port, idle, dripping] = process.argv.slice(2).map(Number);
const EVERY_MS = 500;
const kept = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
const heads = ['GET /api/concerts HTTP/1.1\r\nHost: x\r\nX-Long: ', 'POST /api/getToken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{', 'POST /api/getToken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{'];
let there = 0;
let over = false;
const sockets = new Set();

function connect(i, drips) {
	const socket = net.connect(port, '127.0.0.1', () => {
		there++;
		if (drips || i % 2) socket.write(drips ? heads[i % heads.length] : kept);
		if (there === idle + dripping) console.log('ready');
	});
	sockets.add(socket);
	socket.on('data', () => {});
	socket.on('error', () => {});
	socket.on('close', () => {
		sockets.delete(socket);
		if (!over) setTimeout(connect, 200, i, drips);
	});
	socket.drips = drips;
}

for (let i = 0; i < idle + dripping; i++) connect(i, i >= idle);
const slices = 50; // a few at a time
let slice = 0;
setInterval(() => {
	slice = (slice + 1) % slices;
	let i = 0;
	for (const socket of sockets) if (socket.drips && i++ % slices === slice && !socket.connecting) socket.write('x');
}, EVERY_MS / slices);
process.stdin.resume();
process.stdin.on('end', () => {
	over = true;
	process.exit(0);
});
