// Chooses the sequences of instructions that get handlers of their own.
//
//   choose SEQUENCES PAIRS [WITHOUT...] <training.profile >fused.def
//
// Each step adds the sequence that saves the most jumps between handlers, over all programs of the profile but
// those named, each of which counts as much as the others. Whoever decodes gives every slot the longest sequence
// that begins there, and so it is counted here.
//
// Programs that are not in the profile have other sequences. For them there are pairs: those of which one would
// expect the most if parts followed each other as chance has it.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t longest = 6;     // longest_sequence of fast.h
constexpr double least_weight = 1e-4;  // of a program's instructions: rarer ones begin no sequence
constexpr double enough = 1e-4;        // what a sequence must save, of one program's jumps

using Sequence = std::vector<std::string>;

struct Stretch {
  Sequence parts;
  std::vector<double> weights; // how often each was executed, of all that its program executes
  std::vector<double> goes_on; // how often execution then comes straight to the next: 1, but for early calls
};

bool ends(const std::string& part) {
  for (const char* last : {"jump", "jumpr", "call", "callr", "tail", "tailr", "ret"})
    if (part.starts_with(std::string("part_") + last + "<")) return true;
  return false;
}

class Choice {
 public:
  void read(std::istream& in, const std::set<std::string>& without) {
    std::string line;
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::string program, part;
      double weight;
      words >> program;
      if (without.count(program) != 0) continue;
      Stretch stretch;
      while (words >> weight >> part) {
        if (part == "returns") {
          stretch.goes_on.back() = weight / 1e6;
          continue;
        }
        stretch.parts.push_back(part);
        stretch.weights.push_back(weight / 1e6);
        stretch.goes_on.push_back(1);
      }
      stretches_.push_back(stretch);
    }
    for (std::size_t n = 0; n < stretches_.size(); ++n) note_candidates(n);
  }

  void choose(std::size_t count) {
    std::vector<double> now;
    for (const Stretch& stretch : stretches_) now.push_back(jumps(stretch));
    while (chosen_.size() < count) {
      const Sequence* best = nullptr;
      double best_saved = enough;
      for (auto& [sequence, candidate] : candidates_) {
        if (chosen_.count(sequence) != 0 || candidate.at_most <= best_saved) continue;
        chosen_.insert(sequence);
        double saved = 0;
        for (const std::size_t n : candidate.stretches) saved += now[n] - jumps(stretches_[n]);
        chosen_.erase(sequence);
        if (saved > best_saved) {
          best = &sequence;
          best_saved = saved;
        }
      }
      if (best == nullptr) break;
      chosen_.insert(*best);
      for (const std::size_t n : candidates_[*best].stretches) now[n] = jumps(stretches_[n]);
    }
  }

  void add_pairs(std::size_t count) {
    std::map<std::string, double> frequency;
    for (const Stretch& stretch : stretches_)
      for (std::size_t n = 0; n < stretch.parts.size(); ++n) frequency[stretch.parts[n]] += stretch.weights[n];
    std::vector<std::pair<double, Sequence>> pairs;
    for (const auto& [first, how_often] : frequency)
      for (const auto& [second, how_often_second] : frequency)
        if (!ends(first)) pairs.push_back({how_often * how_often_second, {first, second}});
    std::sort(pairs.begin(), pairs.end(), std::greater<>());
    for (const auto& [expected, pair] : pairs) {
      if (count == 0) break;
      if (chosen_.insert(pair).second) --count;
    }
  }

  void print() const {
    for (const Sequence& sequence : chosen_) {
      std::cout << "FUSED(";
      for (const std::string& part : sequence) std::cout << (&part == &sequence.front() ? "" : ", ") << part;
      std::cout << ")\n";
    }
  }

 private:
  struct Candidate {
    std::set<std::size_t> stretches; // that have it
    double at_most = 0;              // what it can save
  };

  void note_candidates(std::size_t n) {
    const Stretch& stretch = stretches_[n];
    for (std::size_t begin = 0; begin < stretch.parts.size(); ++begin) {
      if (stretch.weights[begin] < least_weight) continue;
      Sequence sequence;
      for (std::size_t end = begin; end < stretch.parts.size() && sequence.size() < longest; ++end) {
        sequence.push_back(stretch.parts[end]);
        if (sequence.size() > 1) {
          Candidate& candidate = candidates_[sequence];
          candidate.stretches.insert(n);
          candidate.at_most += stretch.weights[begin] * static_cast<double>(sequence.size() - 1);
        }
        if (ends(stretch.parts[end])) break;
      }
    }
  }

  // How many handlers are begun: those that execution comes to from elsewhere, and those behind others.
  double jumps(const Stretch& stretch) const {
    const std::size_t count = stretch.parts.size();
    std::vector<double> begun(count + longest, 0);
    double all = 0;
    for (std::size_t n = 0; n < count; ++n) {
      const double before = n == 0 ? 0 : stretch.weights[n - 1];
      begun[n] += std::max(0.0, stretch.weights[n] - before);
      all += begun[n];
      const std::size_t next = n + length_at(stretch, n);
      double straight = begun[n];
      for (std::size_t at = n; at < next && at + 1 < count && stretch.weights[n] > 0; ++at) {
        const double goes_on = std::min(1.0, stretch.weights[at + 1] / stretch.weights[n]);
        begun[at + 1] += straight * (1 - stretch.goes_on[at]) * goes_on; // comes back from the call
        straight *= stretch.goes_on[at];
        if (at + 1 == next) begun[next] += straight * goes_on;
      }
    }
    return all;
  }

  std::size_t length_at(const Stretch& stretch, std::size_t begin) const {
    for (std::size_t length = std::min(longest, stretch.parts.size() - begin); length > 1; --length) {
      const auto first = stretch.parts.begin() + static_cast<std::ptrdiff_t>(begin);
      if (chosen_.count(Sequence(first, first + static_cast<std::ptrdiff_t>(length))) != 0) return length;
    }
    return 1;
  }

  std::vector<Stretch> stretches_;
  std::map<Sequence, Candidate> candidates_;
  std::set<Sequence> chosen_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: choose SEQUENCES PAIRS [WITHOUT...] <training.profile >fused.def\n";
    return 2;
  }
  Choice choice;
  choice.read(std::cin, std::set<std::string>(argv + 3, argv + argc));
  choice.choose(std::strtoul(argv[1], nullptr, 10));
  choice.add_pairs(std::strtoul(argv[2], nullptr, 10));
  choice.print();
}
