// Serves the compiled routes of a Next.js app on the loopback, as its App Router does:
// a folder is a path, and a module's GET or POST takes a Request and gives a Response.
const { createServer } = require("node:http");
const { readdirSync } = require("node:fs");
const { join } = require("node:path");

const root = join(process.argv[2], "app");
const routes = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith("route.js"))
  .map((file) => {
    const path = "/" + file.replace(/\/route\.js$/, "");
    const pattern = path.replace(/\[(\w+)\]/g, "(?<$1>[^/]+)");
    return { pattern: new RegExp(`^${pattern}$`), handlers: require(join(root, file)) };
  });

async function respond(request) {
  const { pathname } = new URL(request.url);
  for (const { pattern, handlers } of routes) {
    const found = pattern.exec(pathname);
    if (found) {
      const handler = handlers[request.method];
      const params = Promise.resolve({ ...found.groups });
      return handler ? handler(request, { params }) : new Response(null, { status: 405 });
    }
  }
  return new Response(null, { status: 404 });
}

async function serve(incoming, outgoing) {
  const chunks = [];
  for await (const chunk of incoming) {
    chunks.push(chunk);
  }
  const { method, headers, url } = incoming;
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  try {
    const request = new Request(`http://${headers.host}${url}`, { method, headers, body });
    const response = await respond(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch (error) {
    console.error(error);
    outgoing.writeHead(500).end();
  }
}

const server = createServer(serve).listen(Number(process.argv[3]), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
