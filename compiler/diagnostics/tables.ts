// E08xx: schedules and decision processes: their form (compiler/check/tables.ts), and what their tables must hold
// (compiler/elaborate/).

import { defineDiagnostics } from './diagnostic.ts';

const bandit =
  'mdp Walk(n: dim) {\n  states S = n\n  actions A = 2\n  discount = 0.9\n' +
  '  P[s, a, r] = ind(r == (s + a) % n)\n  R[s, a] = a\n}\n';

export const tables = defineDiagnostics({
  E0801: {
    severity: 'error',
    title: 'a table is one equation',
    message: ({ what }: { what: string }) => `a table is defined by \`=\`, and this is ${what}`,
    explanation:
      'The tables of a schedule or decision process are computed once, when the program is built: `beta[t < T] = ...`. Nothing in them is ' +
      'drawn or updated, and each has an equation of its own.',
    example: 'schedule Noise(T: dim) {\n  beta: [T] ~ uniform\n}\n',
  },
  E0802: {
    severity: 'error',
    title: 'the decision process is not complete',
    message: ({ name, what }: { name: string; what: string }) => `\`${name}\` lacks ${what}`,
    explanation:
      'A decision process has `states`, `actions`, `discount`, the probability `P[s, a, r]` that action a leads from state s to state r, and ' +
      'the reward `R[s, a]` that is expected of it.',
    example: bandit.replace('  discount = 0.9\n', ''),
  },
  E0803: {
    severity: 'error',
    title: 'declared twice',
    message: ({ keyword }: { keyword: string }) => `the ${keyword} are declared already`,
    explanation: 'A decision process has one set of states and one set of actions.',
    example: bandit.replace('  actions A = 2\n', '  actions A = 2\n  actions B = 3\n'),
  },
  E0804: {
    severity: 'error',
    title: 'a check fails',
    message: ({ condition, at, values }: { condition: string; at: string; values: string }) =>
      `\`${condition}\` fails${at === '' ? '' : ` at ${at}`}${values === '' ? '' : `: ${values}`}`,
    explanation:
      'What a schedule or decision process checks, and what its `where` says of its hyper-parameters, must hold in every entry of every ' +
      'instance. The first entry where it does not is named.',
    example:
      'schedule Linear(T: dim) {\n  beta[t < T] = 0.1 * t\n  check 0 <= beta < 1\n}\nconst q = Linear(20)\n',
  },
  E0805: {
    severity: 'error',
    title: 'a table must be known when the program is built',
    message: ({ what, why }: { what: string; why: string }) => `${what} ${why}`,
    explanation:
      'The tables of a schedule or decision process become constants of the program. They are computed from hyper-parameters, and not from ' +
      'sizes that only the data have, from parameters, states or draws.',
    example:
      'schedule Ramp(T: dim) {\n  beta[t < T] = t / T\n}\nexport fn f(x: [B]) -> y: [B] = x * Ramp(B).beta\n',
  },
  E0806: {
    severity: 'error',
    title: 'the discount is not in [0, 1)',
    message: ({ value }: { value: string }) => `the discount is ${value}`,
    explanation:
      'Rewards are summed with weights 1, discount, discount^2, and so on. With a discount of 1 or more the sum need not exist.',
    example: `${bandit.replace('0.9', '1.0')}const m = Walk(3)\n`,
  },
  E0807: {
    severity: 'error',
    title: 'a probability is negative',
    message: ({ s, a, r, value }: { s: number; a: number; r: number; value: string }) =>
      `P[${s}, ${a}, ${r}] is ${value}`,
    explanation: '`P[s, a, r]` is the probability that action a leads from state s to state r.',
    example: `${bandit.replace('ind(r == (s + a) % n)', '2 * ind(r == s) - ind(r == (s + a) % n)')}const m = Walk(3)\n`,
  },
  E0808: {
    severity: 'error',
    title: 'the probabilities do not sum to one',
    message: ({ s, a, sum }: { s: number; a: number; sum: string }) =>
      `those of action ${a} in state ${s} sum to ${sum}`,
    explanation:
      'From every state every action leads somewhere: the sum of `P[s, a, r]` over r is one. A process that ends stays in a state ' +
      'of its own, with reward 0.',
    example: `${bandit.replace('ind(r == (s + a) % n)', 'ind(r == s + a)')}const m = Walk(3)\n`,
  },
  E0809: {
    severity: 'warning',
    title: 'no other state leads here',
    message: ({ states }: { states: string }) => `no action in another state leads to ${states}`,
    explanation:
      'A state that no other state leads to is seen only by what starts in it. Most often a transition is missing.',
    example: `${bandit.replace('(s + a) % n', '(if s + a < n then s + a else n - 1)')}const m = Walk(3)\n`,
  },
  E0810: {
    severity: 'error',
    title: 'the rows do not sum to one',
    message: ({ sum }: { sum: string }) => `summed over its last index this is ${sum}`,
    explanation:
      'From every state every action leads somewhere: the sum of `P[s, a, r]` over r is one. Here algebra shows another sum, whatever the ' +
      'hyper-parameters; where it shows none, the sums of every instance are checked.',
    example: bandit.replace('ind(r == (s + a) % n)', '0.5 * ind(r == (s + a) % n)'),
  },
});
