#include "sim/training/layer_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// Devices from the outermost inward, each with layers from the front and, in pairs, from the back.
class Split {
public:
    Split(const LayerLoads& loads, int stages, bool in_pairs)
        : layers_(static_cast<int>(loads.layers.size())),
          devices_(in_pairs ? stages / 2 : stages),
          most_(3 * ((layers_ + stages - 1) / stages) + 1),
          in_pairs_(in_pairs) {
        before_.push_back(0);
        for (const Seconds load : loads.layers) before_.push_back(before_.back() + picoseconds(load));
        first_ = picoseconds(loads.first), last_ = picoseconds(loads.last);
    }

    std::vector<int> stages() const {
        std::vector<std::map<Taken, Best>> reached{{{{0, 0}, {}}}};
        for (int device = 0; device < devices_; ++device) {
            reached.emplace_back();
            for (const auto& [from, best] : reached[static_cast<std::size_t>(device)])
                extend(device, from, best, reached.back());
        }
        return way_back(reached);
    }

private:
    struct Taken {
        int front = 0, back = 0;
        auto operator<=>(const Taken&) const = default;
    };
    // The largest load of a device, then how uneven stages are; and the way here.
    struct Best {
        long long load = 0;
        double squares = 0;
        Taken before{};
    };

    // Whole numbers, so that layers that are alike are equal in every sum.
    static long long picoseconds(Seconds time) { return static_cast<long long>(time.si() * 1e12); }
    long long sum(int from, int to) const {
        return before_[static_cast<std::size_t>(to)] - before_[static_cast<std::size_t>(from)];
    }

    void extend(int device, const Taken& from, const Best& best, std::map<Taken, Best>& into) const {
        const int left = layers_ - from.front - from.back, least_back = in_pairs_ ? 1 : 0;
        const bool is_last = device + 1 == devices_;
        for (int front = 1; front <= std::min(left, most_); ++front)
            for (int back = least_back; back <= (in_pairs_ ? std::min(left - front, most_) : 0); ++back) {
                if (is_last && front + back != left) continue;
                const Taken to{from.front + front, from.back + back};
                long long ahead = sum(from.front, to.front), behind = sum(layers_ - to.back, layers_ - from.back);
                if (device == 0) ahead += first_;
                if (in_pairs_ ? device == 0 : is_last) (in_pairs_ ? behind : ahead) += last_;
                const double squares = best.squares + double(ahead) * double(ahead) + double(behind) * double(behind);
                const Best here{std::max(best.load, ahead + behind), squares, from};
                const auto [known, is_new] = into.try_emplace(to, here);
                if (!is_new &&
                    std::pair(here.load, here.squares) < std::pair(known->second.load, known->second.squares))
                    known->second = here;
            }
    }

    std::vector<int> way_back(const std::vector<std::map<Taken, Best>>& reached) const {
        const auto end =
            std::min_element(reached.back().begin(), reached.back().end(), [](const auto& a, const auto& b) {
                return std::pair(a.second.load, a.second.squares) < std::pair(b.second.load, b.second.squares);
            });
        std::vector<int> borders{0, layers_};
        Taken at = end->first;
        for (int device = devices_; device-- > 0;) {
            borders.push_back(at.front);
            borders.push_back(layers_ - at.back);
            at = reached[static_cast<std::size_t>(device) + 1].at(at).before;
        }
        std::sort(borders.begin(), borders.end());
        borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
        return borders;
    }

    int layers_, devices_;
    int most_;  // layers of a stage that are tried
    bool in_pairs_;
    std::vector<long long> before_;  // a layer
    long long first_ = 0, last_ = 0;
};

}  // namespace

std::vector<int> split_layers(const LayerLoads& loads, int stages, bool in_pairs) {
    if (stages < 1 || static_cast<std::size_t>(stages) > loads.layers.size())
        throw InputError("placement.pp", fmt::format("at most one stage a layer ({})", loads.layers.size()),
                         std::to_string(stages));
    if (in_pairs && stages % 2 != 0)
        throw InputError("placement.pp", "an even number of stages: each device holds two", std::to_string(stages));
    return Split(loads, stages, in_pairs).stages();
}

}  // namespace strata
