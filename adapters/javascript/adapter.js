#!/usr/bin/env node
// logitpack conform -- node adapter.js

import { serve } from "./src/serve.js";

await serve();
