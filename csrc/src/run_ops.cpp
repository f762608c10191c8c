#include "maskcodec/run_ops.hpp"

#include <algorithm>
#include <string>

#include "bit_planes.hpp"
#include "maskcodec/parallel.hpp"

namespace maskcodec {

namespace {

void check_same(RunsView a, RunsView b) {
  if (a.shape != b.shape)
    throw ShapeError("masks of different sizes: " + std::to_string(a.shape.height) + " x " +
                     std::to_string(a.shape.width) + " and " + std::to_string(b.shape.height) + " x " +
                     std::to_string(b.shape.width));
}

}  // namespace

std::uint64_t area(RunsView runs) {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < runs.size; i += 2) sum += runs.data[i];
  return sum;
}

Box bounding_box(RunsView runs) {
  BoxFold fold(runs.shape);
  for (std::size_t i = 0; i + 1 < runs.size; i += 2) fold.pair(runs.data[i], runs.data[i + 1]);
  return fold.box();
}

Runs combine(RunsView a, RunsView b, unsigned truth) {
  check_same(a, b);
  if (a.shape.pixels() == 0) return Runs{a.shape, {0}};
  if (truth & 1u) {
    const Runs inverse = combine(a, b, ~truth & 0xFu);
    return complement(inverse.view());
  }
  std::vector<std::uint32_t> counts(a.size + b.size + 1);
  std::uint32_t* out = counts.data();
  std::size_t i = 0, j = 0;
  // Remaining length of the current run of each; the toggles of the result come out in order.
  std::uint64_t end_a = a.data[0], end_b = b.data[0];
  const std::uint64_t pixels = a.shape.pixels();
  std::uint64_t last = 0;
  unsigned now = 0;
  std::uint64_t at = 0;
  for (;;) {
    const unsigned value = truth >> (2 * (i & 1u) + (j & 1u)) & 1u;
    if (value != now) {
      *out++ = static_cast<std::uint32_t>(at - last);
      last = at;
      now = value;
    }
    at = end_a < end_b ? end_a : end_b;
    if (at == pixels) break;
    // A first run of length 0 ends where it starts, like any other.
    if (end_a == at) end_a += a.data[++i];
    if (end_b == at) end_b += b.data[++j];
  }
  *out++ = static_cast<std::uint32_t>(pixels - last);
  counts.resize(static_cast<std::size_t>(out - counts.data()));
  return Runs{a.shape, std::move(counts)};
}

Runs complement(RunsView a) {
  Runs r{a.shape, {}};
  if (a.shape.pixels() == 0) {
    r.counts.push_back(0);
  } else if (a.data[0] == 0) {
    r.counts.assign(a.begin() + 1, a.end());
  } else {
    r.counts.reserve(a.size + 1);
    r.counts.push_back(0);
    r.counts.insert(r.counts.end(), a.begin(), a.end());
  }
  return r;
}

Runs merge(const RunsView* masks, std::size_t count, bool intersect) {
  for (std::size_t i = 1; i < count; ++i) check_same(masks[0], masks[i]);
  if (count == 1) return Runs{masks[0].shape, std::vector<std::uint32_t>(masks[0].begin(), masks[0].end())};
  // Bits are painted run by run and read word by word; joining reads every run log2(count) times, with a guess each time.
  std::uint64_t from = masks[0].shape.pixels(), to = 0, total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const RunsView& m = masks[i];
    total += m.size;
    const std::uint64_t head = m.data[0], tail = m.size % 2 ? m.data[m.size - 1] : 0;
    if (intersect) {
      from = 0;
      to = m.shape.pixels();
    } else if (m.size > 1) {
      from = std::min(from, head);
      to = std::max(to, m.shape.pixels() - tail);
    }
  }
  if (count > 2 && from < to && (to - from) / 64 < 4 * total) {
    Runs painted = paint_union(masks, count, intersect, from, to);
    return intersect ? complement(painted.view()) : painted;
  }
  const unsigned truth = intersect ? truth_and : truth_or;
  // Neighbours are joined round by round, so every run is copied log2(count) times and not count times.
  std::vector<Runs> level;
  level.reserve((count + 1) / 2);
  for (std::size_t i = 0; i + 1 < count; i += 2) level.push_back(combine(masks[i], masks[i + 1], truth));
  if (count % 2) level.push_back(Runs{masks[0].shape, {masks[count - 1].begin(), masks[count - 1].end()}});
  while (level.size() > 1) {
    std::size_t n = 0;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2)
      level[n++] = combine(level[i].view(), level[i + 1].view(), truth);
    if (level.size() % 2) level[n++] = std::move(level.back());
    level.resize(n);
  }
  return std::move(level[0]);
}

Runs vote(const RunsView* masks, std::size_t count, std::size_t k) {
  for (std::size_t i = 1; i < count; ++i) check_same(masks[0], masks[i]);
  const Shape shape = masks[0].shape;
  // +1 where a foreground run starts, -1 where it ends; sorted by position, the running sum is the number of votes.
  std::vector<std::uint64_t> events;
  for (std::size_t m = 0; m < count; ++m) {
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < masks[m].size; ++i) {
      const std::uint64_t end = at + masks[m].data[i];
      if (i & 1u) {
        events.push_back(at << 1);
        events.push_back(end << 1 | 1u);
      }
      at = end;
    }
  }
  std::sort(events.begin(), events.end());
  SpanBuilder out(shape);
  std::size_t votes = 0;
  std::uint64_t from = 0;
  for (std::size_t i = 0; i < events.size();) {
    const std::uint64_t at = events[i] >> 1;
    const bool before = votes >= k;
    for (; i < events.size() && events[i] >> 1 == at; ++i) votes += events[i] & 1u ? std::size_t(-1) : 1u;
    const bool after = votes >= k;
    if (after && !before) from = at;
    if (before && !after) out.add(from, at);
  }
  return out.finish();
}

std::uint64_t intersection_area(RunsView a, RunsView b) {
  check_same(a, b);
  const std::uint64_t pixels = a.shape.pixels();
  if (pixels == 0) return 0;
  std::size_t i = 0, j = 0;
  std::uint64_t end_a = a.data[0], end_b = b.data[0], at = 0, sum = 0;
  while (at != pixels) {
    const std::uint64_t next = end_a < end_b ? end_a : end_b;
    if (i & j & 1u) sum += next - at;
    at = next;
    if (at == pixels) break;
    if (end_a == at) end_a += a.data[++i];
    if (end_b == at) end_b += b.data[++j];
  }
  return sum;
}

Runs crop(RunsView runs, std::uint32_t x0, std::uint32_t y0, std::uint32_t x1, std::uint32_t y1) {
  const Shape shape{y1 - y0, x1 - x0};
  const std::uint64_t h = runs.shape.height, ch = shape.height;
  SpanBuilder out(shape);
  if (shape.pixels() != 0) {
    const std::uint64_t from = x0 * h, to = x1 * h;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < runs.size && at < to; ++i) {
      const std::uint64_t end = at + runs.data[i];
      if ((i & 1u) && end > from) {
        std::uint64_t s = std::max(at, from);
        const std::uint64_t e = std::min(end, to);
        if (ch == h) {
          out.add(s - from, e - from);
        } else {
          std::uint64_t x = s / h, y = s % h;
          while (s < e) {
            const std::uint64_t stop = std::min(h, y + (e - s));
            const std::uint64_t a = std::max<std::uint64_t>(y, y0), b = std::min<std::uint64_t>(stop, y1);
            if (a < b) out.add((x - x0) * ch + (a - y0), (x - x0) * ch + (b - y0));
            s += stop - y;
            y = 0;
            ++x;
          }
        }
      }
      at = end;
    }
  }
  return out.finish();
}

Runs pad(RunsView runs, std::int64_t x, std::int64_t y, Shape frame) {
  const auto fh = static_cast<std::int64_t>(frame.height), fw = static_cast<std::int64_t>(frame.width);
  const auto h = static_cast<std::int64_t>(runs.shape.height), w = static_cast<std::int64_t>(runs.shape.width);
  // Clamp far offsets first, so that nothing below can overflow.
  const std::int64_t x0 = std::min(std::max<std::int64_t>(0, -std::max(x, -w)), w);
  const std::int64_t y0 = std::min(std::max<std::int64_t>(0, -std::max(y, -h)), h);
  const std::int64_t left = std::min(std::max<std::int64_t>(x, 0), fw), top = std::min(std::max<std::int64_t>(y, 0), fh);
  const std::int64_t x1 = std::min(w, x0 + (fw - left)), y1 = std::min(h, y0 + (fh - top));
  SpanBuilder out(frame);
  if (x1 > x0 && y1 > y0) {
    Runs cut;
    RunsView part = runs;
    if (x0 != 0 || y0 != 0 || x1 != w || y1 != h) {
      cut = crop(runs, static_cast<std::uint32_t>(x0), static_cast<std::uint32_t>(y0), static_cast<std::uint32_t>(x1),
                 static_cast<std::uint32_t>(y1));
      part = cut.view();
    }
    out.reserve(part.size / 2 + 1);
    each_piece(part, [&](std::uint32_t px, std::uint32_t a, std::uint32_t b) {
      const std::uint64_t base = static_cast<std::uint64_t>(px + left) * frame.height + static_cast<std::uint64_t>(top);
      out.add(base + a, base + b);
    });
  }
  return out.finish();
}

Runs rotate180(RunsView runs) {
  Runs r{runs.shape, {}};
  r.counts.reserve(runs.size + 1);
  if (runs.size % 2 == 0) r.counts.push_back(0);  // it ends in foreground
  r.counts.insert(r.counts.end(), std::make_reverse_iterator(runs.end()), std::make_reverse_iterator(runs.begin()));
  if (r.counts.size() > 1 && r.counts.back() == 0) r.counts.pop_back();
  return r;
}

Runs flip_rows(RunsView runs) {
  const std::uint64_t h = runs.shape.height;
  SpanBuilder out(runs.shape);
  out.reserve(runs.size / 2 + 1);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> column;
  std::uint32_t current = 0;
  auto flush = [&] {
    for (auto it = column.rbegin(); it != column.rend(); ++it)
      out.add(current * h + (h - it->second), current * h + (h - it->first));
    column.clear();
  };
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    if (x != current) {
      flush();
      current = x;
    }
    column.emplace_back(a, b);
  });
  flush();
  return out.finish();
}

Runs flip_columns(RunsView runs) {
  const Runs turned = rotate180(runs);
  return flip_rows(turned.view());
}

Runs resize_nearest(RunsView runs, Shape shape) {
  const std::uint64_t h = runs.shape.height, w = runs.shape.width, nh = shape.height, nw = shape.width;
  SpanBuilder out(shape);
  if (runs.shape.pixels() == 0 && shape.pixels() != 0) throw ShapeError("a mask without pixels cannot be enlarged");
  if (shape.pixels() == 0) return out.finish();
  // First new index whose source index is at least s: floor((2i + 1) * old / (2 * new)) >= s.
  auto first_at = [](std::uint64_t s, std::uint64_t old_n, std::uint64_t new_n) {
    const std::uint64_t need = 2 * new_n * s;  // (2i + 1) * old >= need
    const std::uint64_t odd = (need + old_n - 1) / old_n;
    return std::min(new_n, odd / 2);
  };
  std::vector<std::pair<std::uint32_t, std::uint32_t>> column;
  std::uint32_t current = 0;
  auto flush = [&] {
    if (column.empty()) return;
    const std::uint64_t from = first_at(current, w, nw), to = first_at(std::uint64_t{current} + 1, w, nw);
    for (std::uint64_t x = from; x < to; ++x)
      for (const auto& [a, b] : column) out.add(x * nh + a, x * nh + b);
    column.clear();
  };
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    if (x != current) {
      flush();
      current = x;
    }
    const auto na = static_cast<std::uint32_t>(first_at(a, h, nh)), nb = static_cast<std::uint32_t>(first_at(b, h, nh));
    if (na < nb) column.emplace_back(na, nb);
  });
  flush();
  return out.finish();
}

Runs paste(RunsView runs, RunsView other, std::int64_t x, std::int64_t y) {
  const auto under_pixels = static_cast<std::uint32_t>(other.shape.pixels());
  const std::uint32_t solid[2] = {0, under_pixels};
  const Runs under = pad(RunsView{solid, under_pixels == 0 ? std::size_t{1} : 2, other.shape}, x, y, runs.shape);
  const Runs rest = combine(runs, under.view(), truth_minus), placed = pad(other, x, y, runs.shape);
  return combine(rest.view(), placed.view(), truth_or);
}

void change_many(const RunsView* masks, std::size_t count, const Change& change, Runs* out, unsigned threads) {
  const std::int64_t* n = change.numbers;
  parallel_for(count, threads, [&](std::size_t i) {
    const RunsView& mask = masks[i];
    switch (change.kind) {
      case ChangeKind::crop:
        out[i] = crop(mask, static_cast<std::uint32_t>(n[0]), static_cast<std::uint32_t>(n[1]),
                      static_cast<std::uint32_t>(n[2]), static_cast<std::uint32_t>(n[3]));
        break;
      case ChangeKind::pad:
        out[i] = pad(mask, n[0], n[1],
                     make_shape(static_cast<std::uint64_t>(mask.shape.height + n[1] + n[3]),
                                static_cast<std::uint64_t>(mask.shape.width + n[0] + n[2])));
        break;
      case ChangeKind::shift: out[i] = pad(mask, n[0], n[1], mask.shape); break;
      case ChangeKind::flip_rows: out[i] = flip_rows(mask); break;
      case ChangeKind::flip_columns: out[i] = flip_columns(mask); break;
      case ChangeKind::resize:
        out[i] = resize_nearest(mask, make_shape(static_cast<std::uint64_t>(n[0]), static_cast<std::uint64_t>(n[1])));
    }
  });
}

}  // namespace maskcodec
