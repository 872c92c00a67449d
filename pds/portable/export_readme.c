/* What is what, in words. */
#include "pds/portable/export_internal.h"

static const char README[] =
    "Vos données (français)\n"
    "======================\n"
    "Cette archive contient tout ce que gardait votre coffre Traboule, dans des formats ouverts.\n"
    "Elle n'est PAS chiffrée : rangez-la en lieu sûr.\n"
    "\n"
    "datapackage.json      le sommaire (Frictionless Data Package) : fichiers, colonnes, unités, empreintes\n"
    "data/*.csv            vos relevés : un fichier par donnée, source et type de relevé ; heures en UTC\n"
    "data/sources.csv      d'où viennent les données (compteurs, comptes, appareils)\n"
    "data/imports.csv      ce qui les a apportées, et quand\n"
    "data/history.csv      les valeurs qui ont été remplacées par d'autres\n"
    "data/annotations.csv  vos remarques\n"
    "places/               vos positions, pour une carte (GPX, GeoJSON)\n"
    "documents/            vos papiers ; documents.csv et documents.json disent ce qu'on en sait\n"
    "trail.json            le journal du coffre, avec son point de contrôle signé\n"
    "receipts/             la place des reçus de consentement\n"
    "\n"
    "Les tableaux (.csv) sont en UTF-8, une virgule entre les colonnes et un point dans les nombres. S'ils "
    "s'ouvrent mal,\n"
    "importez-les dans le tableur (Données, puis À partir d'un fichier texte/CSV) en choisissant UTF-8, "
    "virgule "
    "et anglais.\n"
    "2024-05-01T22:00:00Z est le 1er mai 2024 à 22 h en temps universel : minuit, le 2 mai, à l'heure d'été "
    "de Paris.\n"
    "Une case vide : pas de valeur. Une apostrophe a été mise devant les textes qu'un tableur prendrait pour "
    "une formule.\n"
    "Pour tout remettre dans un coffre : traboule merge COFFRE CETTE-ARCHIVE.zip\n"
    "\n"
    "Your data (English)\n"
    "===================\n"
    "This archive holds all that your Traboule store kept, in open formats.\n"
    "It is NOT encrypted: keep it in a safe place.\n"
    "\n"
    "datapackage.json      the contents (Frictionless Data Package): files, columns, units, hashes\n"
    "data/*.csv            your readings: a file for each dataset, source and grain; times in UTC\n"
    "data/sources.csv      where the data comes from (meters, accounts, devices)\n"
    "data/imports.csv      what brought it, and when\n"
    "data/history.csv      values that others replaced\n"
    "data/annotations.csv  your remarks\n"
    "places/               your positions, for a map (GPX, GeoJSON)\n"
    "documents/            your papers; documents.csv and documents.json tell what is known of them\n"
    "trail.json            the trail of the store, with its signed checkpoint\n"
    "receipts/             the place of consent receipts\n"
    "\n"
    "Tables (.csv) are UTF-8, with a comma between columns and a point in numbers. Where they open wrongly, "
    "import\n"
    "them (Data, From Text/CSV) and choose UTF-8, comma, English.\n"
    "2024-05-01T22:00:00Z is 1 May 2024, 22:00 in universal time: midnight, 2 May, by the summer time of "
    "Paris.\n"
    "An empty cell: no value. An apostrophe was put before texts that a spreadsheet would take for a "
    "formula.\n"
    "To put all of it into a store again: traboule merge STORE THIS-ARCHIVE.zip\n";

static const char RECEIPTS[] =
    "Les reçus de consentement seront ici dès que des services pourront demander vos données.\n"
    "Receipts of consent will stand here as soon as services can ask for your data.\n";

enum err export_write_readme(struct export *x, const struct export_part *part)
{
    (void)part;
    buf_text(&x->piece, README);
    return export_flow(x);
}

enum err export_write_receipts(struct export *x, const struct export_part *part)
{
    (void)part;
    buf_text(&x->piece, RECEIPTS);
    return export_flow(x);
}
