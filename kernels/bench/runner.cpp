#include "kernels/bench/runner.hpp"

#include <nvtx3/nvtx3.hpp>

#include <algorithm>
#include <cmath>

#include "kernels/profiler/activity.hpp"
#include "kernels/profiler/counters.hpp"

namespace strata {

namespace {

constexpr std::uint64_t kSeed = 20260910;

std::string name_of(Ceiling ceiling) {
    switch (ceiling) {
        case Ceiling::copy: return "copy";
        case Ceiling::pinned_to_device: return "pinned_to_device";
        case Ceiling::bf16: return "bf16";
        case Ceiling::fp8: return "fp8";
        case Ceiling::fp8_block: return "fp8_block";
        case Ceiling::none: return "";
    }
    return "";  // unreachable: the enum is complete
}

bool of_tensor_cores(Ceiling ceiling) {
    return ceiling == Ceiling::bf16 || ceiling == Ceiling::fp8 || ceiling == Ceiling::fp8_block;
}

// What a multiprocessor of Hopper's multiplies and adds in a cycle: 989.4 TFLOP/s of dense BF16 over 132 of them at
// 1830 MHz (H100 datasheet), and twice as much of FP8.
double flops_a_cycle(Ceiling ceiling) { return ceiling == Ceiling::bf16 ? 4096 : 8192; }

bool matches(const std::string& text, const std::vector<std::string>& filters) {
    return filters.empty() || std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
               return text.find(filter) != std::string::npos;
           });
}

std::int64_t free_memory() {
    std::size_t free = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free, &total), "asking for free memory");
    return std::int64_t(free);
}

}  // namespace

std::vector<Case> cases_of(const std::vector<Kernel>& kernels, const std::vector<std::string>& filters) {
    std::vector<Case> cases;
    for (std::size_t turn = 0, found = 1; found > 0; ++turn) {
        found = 0;
        for (const Kernel& kernel : kernels) {
            if (turn >= kernel.shapes.size()) continue;
            ++found;
            if (matches(kernel.name + " " + kernel.shapes[turn].shape.text(), filters))
                cases.push_back({&kernel, &kernel.shapes[turn]});
        }
    }
    return cases;
}

std::vector<CheckCase> check_cases_of(const std::vector<Kernel>& kernels, const std::vector<std::string>& filters) {
    std::vector<CheckCase> cases;
    for (const Kernel& kernel : kernels)
        if (matches(kernel.name, filters))
            for (const Shape& shape : kernel.check_shapes) cases.emplace_back(&kernel, &shape);
    return cases;
}

Runner::Runner(const Gpu& gpu, const TimingLimits& limits, ProfilerUse use)
    : gpu_(gpu), limits_(limits), stage_(gpu.l2_bytes), management_(gpu.uuid) {
    if (use != ProfilerUse::counters)
        for (const MetricSet& set : metric_sets()) counters_missing_[set.name] = "switched off";
    if (use == ProfilerUse::none) {
        cupti_missing_ = "switched off";
        return;
    }
    try {
        cupti_ = std::make_unique<CuptiLibrary>();
    } catch (const CuptiError& missing) {
        cupti_missing_ = missing.what();
    }
}

std::map<std::int64_t, double> Runner::zero_copy_rows() {
    return measure_zero_copy_rows(stage_, std::int64_t(2) << 30);
}

Sample Runner::measure(const Case& one, const Ceilings& ceilings) {
    Sample sample{.kernel = one.kernel->name,
                  .source = one.kernel->source,
                  .models = one.shape->models,
                  .shape = one.shape->shape,
                  .seed = kSeed,
                  .goal = one.shape == &one.kernel->shapes.front() ? one.kernel->goal : Goal{}};
    try {
        const nvtx3::scoped_range range{one.kernel->name};
        measure_into(sample, one, ceilings);
    } catch (const NotApplicable& why) {
        sample.outcome = Outcome::skipped;
        sample.reason = why.what();
    } catch (const std::exception& failed) {
        sample.outcome = Outcome::failed;
        sample.reason = failed.what();
    }
    return sample;
}

void Runner::measure_into(Sample& sample, const Case& one, const Ceilings& ceilings) {
    const Kernel& kernel = *one.kernel;
    const Cold cold = cold_for(kernel.set_bytes(sample.shape), gpu_.l2_bytes, free_memory());
    const Prepared prepared = kernel.prepare(sample.shape, cold.sets, kSeed);
    sample.work = prepared.work;
    sample.cold = cold.flush ? "flush" : "rotate " + std::to_string(cold.sets) + " sets";
    sample.verdict = verdict_of(prepared);
    if (sample.verdict.pass) {
        time_into(sample, prepared, cold);
        if (cupti_) activity_into(sample, prepared, cold);
        counters_into(sample, prepared, kernel);
        sample.verdict = verdict_of(prepared);  // hundreds of launches later
    }
    const std::string ceiling = name_of(kernel.ceiling);
    if (const auto found = ceilings.values.find(ceiling); found != ceilings.values.end()) {
        sample.ceiling = ceiling;
        sample.share =
            (of_tensor_cores(kernel.ceiling) ? teraflops(sample) : gigabytes_per_second(sample)) / found->second;
        // The library does not reach what the tensor cores could do at the clock of this very run.
        if (of_tensor_cores(kernel.ceiling) && sample.clock_before_mhz && sample.clock_after_mhz)
            sample.possible_share =
                std::max(1.0, gpu_.multiprocessors * flops_a_cycle(kernel.ceiling) * 1e-6 *
                                  std::max(*sample.clock_before_mhz, *sample.clock_after_mhz) / found->second);
        // Reading is a few per cent faster than copying, which is as much of both: between the two by what is written.
        const auto reading = ceilings.values.find("read");
        if (kernel.ceiling == Ceiling::copy && reading != ceilings.values.end()) {
            const double copied = std::min(1.0, 2 * (sample.work.written / sample.work.bytes()));
            sample.possible_share = std::max(1.0, 1 / (copied + (1 - copied) * found->second / reading->second));
        }
    }
    const auto refused = refusal_of(sample);
    sample.outcome = refused ? Outcome::refused : Outcome::measured;
    if (refused) sample.reason = *refused;
}

// Operands are filled and poisoned on the default stream, which ours does not wait for.
Verdict Runner::verdict_of(const Prepared& prepared) {
    prepared.poison();
    check_cuda(cudaDeviceSynchronize(), "preparing operands");
    prepared.launch(0, stage_.stream());
    stage_.finish();
    return prepared.verify();
}

void Runner::time_into(Sample& sample, const Prepared& prepared, const Cold& cold) {
    std::vector<Launch> variants{prepared.launch};
    for (const Baseline& baseline : prepared.baselines) variants.push_back(baseline.launch);
    sample.clock_before_mhz = sm_clock_mhz(stage_.stream());
    const auto times = stage_.time(variants, cold, limits_);
    sample.power_w = management_.power_watts();
    sample.throttle = management_.throttle();
    sample.clock_after_mhz = sm_clock_mhz(stage_.stream());
    sample.us = spread_of(times.front());
    sample.noise = noise_of(times.front());
    for (std::size_t i = 0; i < prepared.baselines.size(); ++i)
        sample.baselines.push_back({prepared.baselines[i].name, spread_of(times[i + 1])});
    if (*sample.clock_after_mhz < 0.9 * *sample.clock_before_mhz) sample.flags.push_back("the clock fell by over 10 %");
    if (sample.throttle && *sample.throttle != "none") sample.flags.push_back("throttled: " + *sample.throttle);
    if (sample.us.mad > 0.03 * sample.us.median) sample.flags.push_back("unsteady: deviation over 3 % of the median");
}

// Events include what lies between kernels; where the two clocks differ by more than launching costs, a reader should
// know.
void Runner::activity_into(Sample& sample, const Prepared& prepared, const Cold& cold) {
    constexpr int kLaunches = 7;
    try {
        std::vector<double> sums;
        for (int i = 0; i < kLaunches; ++i) {
            if (cold.flush) stage_.flush();
            stage_.finish();
            ActivityRecorder recorder(*cupti_);
            prepared.launch(i % cold.sets, stage_.stream());
            stage_.finish();
            double sum = 0;
            sample.kernels.clear();
            for (const KernelActivity& kernel : recorder.stop()) {
                sum += kernel.us;
                sample.kernels.push_back(kernel.name);
                sample.registers = std::max(sample.registers.value_or(0), kernel.registers);
            }
            sums.push_back(sum);
        }
        sample.activity_us = spread_of(sums).median;
        const double apart = std::abs(*sample.activity_us - sample.us.median);
        if (*sample.activity_us == 0)
            sample.activity_us.reset();  // only copies: no kernel was recorded
        else if (apart > 0.03 * sample.us.median && apart > 3)
            sample.flags.push_back("events and activity records differ by " + std::to_string(int(apart)) + " us");
    } catch (const CuptiError& failed) {
        sample.flags.push_back(std::string("no activity records: ") + failed.what());
    }
}

void Runner::counters_into(Sample& sample, const Prepared& prepared, const Kernel& kernel) {
    const std::string wanted = kernel.ceiling == Ceiling::pinned_to_device ? "link" : "memory";
    std::string& missing = counters_missing_[wanted];  // once refused, it will be refused again
    if (!cupti_) missing = cupti_missing_;
    for (const MetricSet& set : metric_sets())
        if (set.name == wanted && missing.empty()) {
            try {
                sample.counters = count(
                    *cupti_, set,
                    [&] {
                        stage_.flush();
                        stage_.finish();
                    },
                    [&] {
                        prepared.launch(0, stage_.stream());
                        stage_.finish();
                    });
            } catch (const CuptiError& failed) {
                missing = failed.what();
            }
        }
    sample.counters_unavailable = missing;
}

Verdict Runner::check(const Kernel& kernel, const Shape& shape) {
    const Prepared prepared = kernel.prepare(shape, 1, kSeed);
    Verdict verdict;
    for (int turn = 0; turn < 2; ++turn) {  // a second launch finds what the first has left behind
        verdict = verdict_of(prepared);
        if (!verdict.pass) break;
    }
    return verdict;
}

}  // namespace strata
