// SPDX-License-Identifier: BSD-2-Clause
// fetch.js COUNT PARALLEL NAME…: as fetch.go, with the lookups of c-ares: all of them from one socket.
const dns = require("dns").promises, tls = require("tls");
const [count, parallel] = process.argv.slice(2, 4).map(Number), names = process.argv.slice(4);
let next = 0, good = 0;

// Of a thousand questions at once a server, or this socket, can lose some more often than c-ares asks again.
async function lookUp(name, attempts) {
	const answers = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
	const addresses = answers.flatMap(answer => answer.value || []);
	if (addresses.length > 0)
		return addresses;
	if (attempts > 1 && answers.some(answer => answer.reason?.code === "ETIMEOUT"))
		return lookUp(name, attempts - 1);
	throw answers[0].reason;
}

async function fetch(name) {
	const addresses = await lookUp(name, 3);
	const host = addresses[Math.floor(Math.random() * addresses.length)];
	await new Promise((resolve, reject) => {
		let page = "";
		const socket = tls.connect({host, port: 443, servername: name, rejectUnauthorized: false},
			() => socket.write("GET / HTTP/1.0\r\n\r\n"));
		socket.on("data", data => page += data).on("error", reject)
			.on("close", () => page.includes(name) ? resolve() : reject(new Error(`not the page of ${host}`)));
	});
}

async function work() {
	while (next < count) {
		const name = names[next % names.length].replace("%", next++);
		await fetch(name).then(() => good++, error => console.error(name, error.message));
	}
}

Promise.all(Array.from({length: parallel}, work)).then(() => console.log(`${good} of ${count}`));
