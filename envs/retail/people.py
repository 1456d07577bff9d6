"""Customers from many places: names, addresses and phone numbers that go together."""

from __future__ import annotations

import unicodedata
from random import Random
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A country: its cities with region and postal code, and what people and streets there are called."""

    country: str
    phone: str
    mail: str
    cities: list[tuple[str, str, str]]
    streets: list[str]
    first: list[str]
    last: list[str]


PLACES = [
    Place(
        "United States",
        "+1 503 555",
        "mailbox.com",
        [
            ("Portland", "OR", "97214"),
            ("Tucson", "AZ", "85719"),
            ("Duluth", "MN", "55805"),
            ("Savannah", "GA", "31401"),
        ],
        ["{} Alder Street", "{} Cypress Avenue", "{} Old Mill Road", "{} Juniper Lane"],
        ["Denise", "Marcus", "Latoya", "Walter", "Priscilla", "Hector"],
        ["Whitfield", "Okonkwo", "Delgado", "Brandt", "Yazzie"],
    ),
    Place(
        "Mexico",
        "+52 33 5550",
        "correo.mx",
        [("Guadalajara", "Jalisco", "44100"), ("Mérida", "Yucatán", "97000"), ("Puebla", "Puebla", "72000")],
        ["Calle Hidalgo {}", "Avenida Juárez {}", "Calle Morelos {}"],
        ["Itzel", "Ramón", "Ximena", "Efraín"],
        ["Hernández", "Cárdenas", "Uribe", "Santiago"],
    ),
    Place(
        "Brazil",
        "+55 31 5550",
        "caixa.com.br",
        [("Belo Horizonte", "MG", "30130-010"), ("Recife", "PE", "50030-230"), ("Curitiba", "PR", "80020-310")],
        ["Rua das Acácias, {}", "Avenida Afonso Pena, {}", "Rua do Sol, {}"],
        ["Thaís", "Caio", "Jurema", "Leandro"],
        ["Figueiredo", "Nascimento", "Teixeira", "Amaral"],
    ),
    Place(
        "United Kingdom",
        "+44 113 496",
        "postbox.co.uk",
        [("Leeds", "West Yorkshire", "LS6 2AB"), ("Cardiff", "Wales", "CF10 3AT"), ("Dundee", "Scotland", "DD1 4HN")],
        ["{} Chapel Row", "{} Harbour View", "{} Station Road"],
        ["Gwen", "Callum", "Nasreen", "Alistair"],
        ["Pritchard", "Mackie", "Chowdhury", "Ashworth"],
    ),
    Place(
        "Germany",
        "+49 341 5550",
        "briefkasten.de",
        [("Leipzig", "Sachsen", "04109"), ("Bremen", "Bremen", "28195"), ("Freiburg", "Baden-Württemberg", "79098")],
        ["Lindenstraße {}", "Am Markt {}", "Mühlweg {}"],
        ["Annika", "Jürgen", "Elif", "Matthias"],
        ["Vogel", "Schröder", "Yıldız", "Krause"],
    ),
    Place(
        "France",
        "+33 4 7255",
        "courrier.fr",
        [("Lyon", "Rhône", "69002"), ("Rennes", "Bretagne", "35000"), ("Toulouse", "Occitanie", "31000")],
        ["{} rue des Tanneurs", "{} quai Saint-Vincent", "{} place du Marché"],
        ["Solène", "Bastien", "Aïcha", "Gaëtan"],
        ["Lefèvre", "Mercier", "Benali", "Rousseau"],
    ),
    Place(
        "Poland",
        "+48 71 555",
        "skrzynka.pl",
        [("Wrocław", "Dolnośląskie", "50-101"), ("Gdańsk", "Pomorskie", "80-831"), ("Łódź", "Łódzkie", "90-001")],
        ["ul. Ogrodowa {}", "ul. Długa {}", "ul. Kościuszki {}"],
        ["Zofia", "Krzysztof", "Małgorzata", "Wojciech"],
        ["Wiśniewska", "Kowalczyk", "Zając", "Sobczak"],
    ),
    Place(
        "Nigeria",
        "+234 809 555",
        "mailnaija.ng",
        [("Ibadan", "Oyo", "200221"), ("Enugu", "Enugu", "400102"), ("Lagos", "Lagos", "101233")],
        ["{} Awolowo Road", "{} Independence Layout", "{} Allen Avenue"],
        ["Adaeze", "Olufemi", "Ngozi", "Babatunde"],
        ["Adeyemi", "Eze", "Okafor", "Balogun"],
    ),
    Place(
        "Kenya",
        "+254 720 555",
        "barua.co.ke",
        [("Nairobi", "Nairobi", "00100"), ("Kisumu", "Kisumu", "40100"), ("Mombasa", "Mombasa", "80100")],
        ["{} Ngong Road", "{} Moi Avenue", "{} Oginga Odinga Street"],
        ["Wanjiru", "Kiprotich", "Achieng", "Mwangi"],
        ["Kamau", "Odhiambo", "Chebet", "Mutua"],
    ),
    Place(
        "Egypt",
        "+20 3 5550",
        "barid.eg",
        [("Alexandria", "Alexandria", "21500"), ("Cairo", "Cairo", "11511"), ("Aswan", "Aswan", "81511")],
        ["{} Fouad Street", "{} Talaat Harb Street", "{} Corniche Road"],
        ["Yasmin", "Karim", "Nadia", "Hossam"],
        ["Mansour", "El-Sayed", "Farouk", "Gaber"],
    ),
    Place(
        "India",
        "+91 98455 5",
        "dakghar.in",
        [("Bengaluru", "Karnataka", "560034"), ("Kochi", "Kerala", "682016"), ("Jaipur", "Rajasthan", "302001")],
        ["{}, 4th Cross, Koramangala", "{}, MG Road", "{}, Bapu Bazaar"],
        ["Lakshmi", "Arjun", "Meera", "Imran"],
        ["Iyer", "Choudhary", "Nair", "Qureshi"],
    ),
    Place(
        "Japan",
        "+81 75 555",
        "yubin.jp",
        [("Kyoto", "Kyoto", "604-8005"), ("Sapporo", "Hokkaido", "060-0042"), ("Fukuoka", "Fukuoka", "810-0001")],
        ["{} Teramachi-dori", "{} Odori Nishi", "{} Tenjin 2-chome"],
        ["Haruka", "Kenji", "Sayuri", "Daichi"],
        ["Nakamura", "Ishikawa", "Fujimoto", "Ogawa"],
    ),
    Place(
        "Indonesia",
        "+62 274 555",
        "pos.id",
        [
            ("Yogyakarta", "DI Yogyakarta", "55122"),
            ("Bandung", "Jawa Barat", "40111"),
            ("Makassar", "Sulawesi Selatan", "90111"),
        ],
        ["Jalan Malioboro {}", "Jalan Braga {}", "Jalan Sudirman {}"],
        ["Dewi", "Bayu", "Siti", "Agus"],
        ["Wijaya", "Santoso", "Lestari", "Siregar"],
    ),
    Place(
        "Sweden",
        "+46 31 555",
        "brevlada.se",
        [("Göteborg", "Västra Götaland", "411 06"), ("Umeå", "Västerbotten", "903 26"), ("Malmö", "Skåne", "211 22")],
        ["Storgatan {}", "Kungsgatan {}", "Björkvägen {}"],
        ["Linnea", "Björn", "Samira", "Anders"],
        ["Lindqvist", "Åkesson", "Haddad", "Nyström"],
    ),
]

_CARDS = ["visa", "mastercard", "amex"]
_FOLDED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "ı": "i", "ß": "ss", "đ": "d", "'": "", " ": ""})


def make_customers(rng: Random, count: int) -> dict[str, dict[str, Any]]:
    """Customers by id; no two have the same name."""
    customers: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    while len(customers) < count:
        place = PLACES[len(customers) % len(PLACES)]
        first, last = rng.choice(place.first), rng.choice(place.last)
        if f"{first} {last}" in names:
            continue
        names.add(f"{first} {last}")
        customer_id = f"cus_{rng.randrange(100000, 999999)}"
        customers[customer_id] = {
            "customer_id": customer_id,
            "first_name": first,
            "last_name": last,
            "email": f"{_ascii(first)}.{_ascii(last)}{rng.randrange(10, 99)}@{place.mail}",
            "phone": f"{place.phone} {rng.randrange(1000, 9999)}",
            "tier": "plus" if rng.random() < 0.25 else "standard",
            "address": _address(rng, place),
            "payment_methods": _payment_methods(rng),
        }
    return customers


def _address(rng: Random, place: Place) -> dict[str, str]:
    city, region, postal_code = rng.choice(place.cities)
    return {
        "line1": rng.choice(place.streets).format(rng.randrange(1, 240)),
        "line2": f"Apt {rng.randrange(1, 40)}" if rng.random() < 0.3 else "",
        "city": city,
        "region": region,
        "postal_code": postal_code,
        "country": place.country,
    }


def _payment_methods(rng: Random) -> dict[str, dict[str, Any]]:
    last4 = f"{rng.randrange(10000):04}"
    methods: dict[str, dict[str, Any]] = {
        f"card_{last4}": {"kind": "card", "brand": rng.choice(_CARDS), "last4": last4}
    }
    if rng.random() < 0.5:
        methods[f"gift_{rng.randrange(1000, 9999)}"] = {"kind": "gift_card", "balance": rng.randrange(5, 240) + 0.0}
    if rng.random() < 0.35:
        methods[f"paypal_{rng.randrange(1000, 9999)}"] = {"kind": "paypal"}
    return methods


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.translate(_FOLDED))
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum()).lower()
