/**
 * The invented customers, shops and employers of an invented bank.
 */
import { Array, Effect, Random } from "effect"

const firstNames = [
  "Ada",
  "Anton",
  "Berta",
  "Carl",
  "Clara",
  "Dario",
  "Edda",
  "Emil",
  "Frieda",
  "Georg",
  "Hanna",
  "Henri",
  "Ida",
  "Jakob",
  "Jana",
  "Karim",
  "Lena",
  "Levi",
  "Malu",
  "Mika",
  "Nora",
  "Oskar",
  "Paula",
  "Quirin",
  "Rosa",
  "Samir",
  "Tilda",
  "Ugo",
  "Vera",
  "Wanda",
  "Yara",
  "Zeno"
]
const lastNames = [
  "Ahrend",
  "Berg",
  "Cordes",
  "Dahl",
  "Ebner",
  "Falk",
  "Grote",
  "Hagen",
  "Ilves",
  "Jansen",
  "Kolbe",
  "Lund",
  "Merz",
  "Nolte",
  "Obst",
  "Pohl",
  "Quast",
  "Rask",
  "Sander",
  "Thoma",
  "Ulmer",
  "Voss",
  "Wieck",
  "Zander"
]

export const merchants = {
  groceries: ["Marktkauf am Hafen", "Bäckerei Lindqvist", "Grünkorb Biomarkt", "Fischhalle Nord", "Kaufhaus Elster"],
  meals: ["Café Kranich", "Pizzeria Da Nilo", "Mensa am Ring", "Imbiss Zum Anker", "Sushi Momiji"],
  travel: ["Stadtwerke Verkehr", "Nordbahn", "Tankstelle Deichtor", "Fahrrad Petersen"],
  shopping: ["Buchhandlung Tintenfass", "Elektro Wattmann", "Möbelhaus Lärche", "Schuh & Söhne", "Spielzeug Kreisel"],
  health: ["Apotheke am Markt", "Optik Klarblick", "Zahnarzt Dr. Weiss"]
} as const

export const shopsAbroad = ["Blue Heron Diner", "Redwood Books", "Harbor Motel", "Prairie Gas #12", "Lakeside Museum"]

const employers = [
  "Werft Holm GmbH",
  "Klinikum Nordstadt",
  "Stadtverwaltung",
  "Reederei Sturm AG",
  "Schule am Deich",
  "Lokwerk KG"
]
const landlords = ["Wohnbau Genossenschaft", "Hausverwaltung Seidel", "Immobilien Brook"]

export interface Customer {
  readonly name: string
  /** Below which all their accounts stand. */
  readonly account: string
  readonly employer: string
  readonly landlord: string
  /** Cents a month. */
  readonly salary: number
  /** Cents a month. */
  readonly rent: number
  /** Cents a month, to the savings account; 0 for none. */
  readonly saving: number
  readonly travels: boolean
  readonly invests: boolean
  /** Cents still owed to the bank. */
  readonly loan: number
}

/** `count` customers, no two of one name. */
export const customers = (count: number): Effect.Effect<ReadonlyArray<Customer>> =>
  Effect.gen(function* () {
    const names = Array.flatMap(firstNames, (first) => lastNames.map((last) => `${first} ${last}`))
    const shuffled = Array.fromIterable(yield* Random.shuffle(names))
    return yield* Effect.forEach(shuffled.slice(0, count).sort(), (name) =>
      Effect.gen(function* () {
        const salary = (yield* Random.nextIntBetween(1900, 5200)) * 100
        return {
          name,
          account: `liabilities:customers:${name.toLowerCase().replace(" ", "-")}`,
          employer: yield* Random.choice(employers),
          landlord: yield* Random.choice(landlords),
          salary,
          rent: Math.round(salary * 0.0028) * 100,
          saving: (yield* Random.nextIntBetween(0, 4)) * 5000,
          travels: (yield* Random.nextIntBetween(0, 4)) === 0,
          invests: (yield* Random.nextIntBetween(0, 3)) === 0,
          loan: (yield* Random.nextIntBetween(0, 5)) === 0 ? (yield* Random.nextIntBetween(40, 220)) * 100_000 : 0
        }
      })
    )
  }).pipe(Effect.orDie)
