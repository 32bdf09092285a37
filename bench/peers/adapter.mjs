// Prints which adapter WebGPU offers.

const { info } = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
const { vendor, architecture, device, description } = info;
console.log([vendor, architecture, description || device].filter(Boolean).join(', '));
