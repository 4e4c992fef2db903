// Data behind pointers: words of a text in a tree, a table of keys, lists that are sorted.
#include "compiled.h"

struct node {
  struct node *left, *right;
  u32 count;
  u8 length;
  char word[11];
};
static struct node nodes[100];
static u32 node_count;
static const char text[] =
    "it was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness";
NOINLINE static int compare(const char* word, u32 length, const struct node* with) {
  for (u32 i = 0; i < length && i < with->length; i++)
    if (word[i] != with->word[i]) return (u8)word[i] < (u8)with->word[i] ? -1 : 1;
  return length == with->length ? 0 : length < with->length ? -1 : 1;
}
NOINLINE static struct node* insert(struct node* at, const char* word, u32 length) {
  if (!at) {
    at = &nodes[node_count++];
    at->left = at->right = 0;
    at->count = 1;
    at->length = (u8)length;
    for (u32 i = 0; i < length; i++) at->word[i] = word[i];
    return at;
  }
  const int order = compare(word, length, at);
  if (order == 0) at->count++;
  else if (order < 0) at->left = insert(at->left, word, length);
  else at->right = insert(at->right, word, length);
  return at;
}
NOINLINE static u32 count_words(void) {
  struct node* root = 0;
  u32 sum = 0;
  node_count = 0;
  for (const char* p = text; *p;) {
    while (*p && !(*p >= 'a' && *p <= 'z')) p++;
    const char* const begin = p;
    while (*p >= 'a' && *p <= 'z') p++;
    const u32 length = (u32)(p - begin);
    if (length != 0) root = insert(root, begin, length > 11 ? 11 : length);
  }
  for (u32 i = 0; i < node_count; i++) sum = sum * 17 + nodes[i].count;
  return sum;
}

struct entry {
  u32 key, value;
};
static struct entry table[1024];
NOINLINE static u32 count_keys(u32 rounds) {
  u32 seed = 12345, most = 0;
  for (u32 i = 0; i < 1024; i++) table[i].key = table[i].value = 0;
  for (u32 i = 0; i < rounds; i++) {
    seed = seed * 1664525 + 1013904223;
    const u32 key = (seed >> 20 & 511) + 1;
    u32 at = (key ^ key >> 4) * 40503u >> 6 & 1023;
    while (table[at].key != 0 && table[at].key != key) at = (at + 1) & 1023;
    table[at].key = key;
    if (++table[at].value > most) most = table[at].value;
  }
  return most;
}

struct item {
  u32 weight;
  struct item* next;
};
static struct item items[256];
NOINLINE static u32 sort_lists(void) {
  struct item *head = 0, *sorted = 0;
  u32 sum = 0;
  for (u32 i = 0; i < 256; i++) {
    items[i].weight = i * 7919 & 511;
    items[i].next = head;
    head = &items[i];
  }
  while (head != 0) {
    struct item *const next = head->next, **place = &sorted;
    for (u32 steps = 0; steps < 8 && *place && (*place)->weight < head->weight; steps++) place = &(*place)->next;
    head->next = *place;
    *place = head;
    head = next;
  }
  for (const struct item* each = sorted; each; each = each->next) sum = sum * 5 + each->weight;
  return sum;
}

static u32 run(void) {
  u32 sum = 0;
  for (u32 round = 0; round < 300; round++) sum = sum * 27 + 9 * count_words() + 3 * count_keys(400) + sort_lists();
  return sum;
}
