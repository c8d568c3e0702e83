// crowd.mjs: a process of its own with connections that do harm by being there: node crowd.mjs PORT IDLE DRIPPING
//
// IDLE connections send nothing, or one request and then nothing; DRIPPING ones send a request a byte at a time, for ever, and begin anew when the server has
// closed them. Writes "ready" when all are there, and goes on until its standard input ends.
import net from 'node:net';

const [port, idle, dripping] = process.argv.slice(2).map(Number);
const EVERY_MS = 500; // between two bytes of a connection's
const TURN_MS = 2;
const kept = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
const heads = ['GET /api/concerts HTTP/1.1\r\nHost: x\r\nX-Long: ', 'POST /api/getToken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{', 'POST /api/getToken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{'];
const dripped = [];
let there = 0;
let over = false;

function connect(i, drips) {
	const socket = net.connect(port, '127.0.0.1', () => {
		there++;
		if (drips || i % 2) socket.write(drips ? heads[i % heads.length] : kept);
		if (there === idle + dripping) console.log('ready');
	});
	socket.on('data', () => {});
	socket.on('error', () => {});
	socket.on('close', () => {
		if (!over) setTimeout(connect, 200, i, drips);
	});
	if (drips) dripped[i - idle] = socket;
}

for (let i = 0; i < idle + dripping; i++) connect(i, i >= idle);
// One at a time, evenly: the machine that the crowd shares with the server is not to stand still for a slice of them, as it would not elsewhere.
let turn = 0;
let owed = 0;
setInterval(() => {
	for (owed += (dripping * TURN_MS) / EVERY_MS; owed >= 1; owed--) {
		turn = (turn + 1) % dripping;
		const socket = dripped[turn];
		if (socket && !socket.connecting && !socket.destroyed) socket.write('x');
	}
}, TURN_MS);
process.stdin.resume();
process.stdin.on('end', () => {
	over = true;
	process.exit(0);
});
