import { defineConfig } from "midflight";

export default defineConfig({
  app: "shop",
  channel: "development",
  services: {
    web: {
      run: "node src/server.ts",
      code: "src",
      processes: 1,
      health: "/readyz",
      env: { PORT: "3000" },
    },
  },
});
