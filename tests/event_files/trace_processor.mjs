// Perfetto's trace_processor, as WebAssembly, on one trace.
//
// usage: node trace_processor.mjs FOLDER TRACE QUERY...
//
// FOLDER holds trace_processor.wasm, engine_bundle.node.js (Perfetto's own code around it, made for
// a worker of a browser) and engine.mjs (its client). Prints the rows of each query of SQL as one
// line of JSON.

import {readFileSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';

const [folder, trace, ...queries] = process.argv.slice(2);

// What a worker of a browser has, and Node has not.
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
Object.defineProperty(globalThis, 'location', {value: pathToFileURL(folder + path.sep)});
globalThis.XMLHttpRequest = class {
  open(method, address) {
    this.file = path.join(folder, path.basename(address));
  }
  send() {
    const bytes = readFileSync(this.file);
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
};

// The build for 64-bit memory is not there; a module with nothing but such a memory asks for it.
const Module = WebAssembly.Module;
WebAssembly.Module = class extends Module {
  constructor(bytes) {
    if (bytes[8] === 5 && bytes[11] === 4) throw new WebAssembly.CompileError('no 64-bit memory here');
    super(bytes);
  }
};

console.warn = () => {};  // fields of an answer that the client is too old to know
vm.runInThisContext(readFileSync(path.join(folder, 'engine_bundle.node.js'), 'utf8'));
const channel = new MessageChannel();
await new Promise((resolve) => setTimeout(resolve, 100));  // it begins in tasks of its own
self.onmessage({data: channel.port1});

const {EngineBase} = await import(pathToFileURL(path.join(folder, 'engine.mjs')).href);
class Engine extends EngineBase {
  mode = 'WASM';
  id = 'test';
  rpcSendRequestBytes(bytes) {
    channel.port2.postMessage(bytes);
  }
}
const engine = new Engine();
channel.port2.onmessage = (message) => engine.onRpcResponseBytes(message.data);

await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
for (const query of queries) {
  const result = await engine.query(query);
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    rows.push(Object.fromEntries(result.columns().map((column) => {
      const value = row.get(column);
      return [column, typeof value === 'bigint' ? Number(value) : value];
    })));
  }
  console.log(JSON.stringify(rows));
}
process.exit(0);
