#include "kernels/profiler/counters.hpp"

#include <cuda.h>
#include <cuda_runtime.h>
#include <cupti.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

namespace strata {

namespace {

std::vector<const char*> names_of(const std::vector<std::string>& metrics) {
    std::vector<const char*> names;
    for (const std::string& metric : metrics) names.push_back(metric.c_str());
    return names;
}

// The host's side: knows metrics and chips. CUPTI keeps the addresses of the chip's name and of the image: they must
// live as long as its object.
class Host {
public:
    Host(const CuptiLibrary& cupti, std::string chip, std::vector<std::uint8_t> availability)
        : cupti_(cupti), chip_(std::move(chip)), availability_(std::move(availability)) {
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_Initialize_Params, params);
        params.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
        params.pChipName = chip_.c_str();
        params.pCounterAvailabilityImage = availability_.empty() ? nullptr : availability_.data();
        STRATA_CUPTI(cupti_, cuptiProfilerHostInitialize, &params);
        object_ = params.pHostObject;
    }
    ~Host() {
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_Deinitialize_Params, params);
        params.pHostObject = object_;
        cupti_.function<std::remove_pointer_t<decltype(&cuptiProfilerHostDeinitialize)>>(
            "cuptiProfilerHostDeinitialize", nullptr)(&params);
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    CUpti_Profiler_Host_Object* object() const { return object_; }

    CounterPlan plan(const std::vector<std::string>& metrics) const {
        std::vector<const char*> names = names_of(metrics);
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_ConfigAddMetrics_Params, add);
        add.pHostObject = object_;
        add.ppMetricNames = names.data();
        add.numMetrics = names.size();
        STRATA_CUPTI(cupti_, cuptiProfilerHostConfigAddMetrics, &add);
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_GetConfigImageSize_Params, size);
        size.pHostObject = object_;
        STRATA_CUPTI(cupti_, cuptiProfilerHostGetConfigImageSize, &size);
        CounterPlan plan{.image = std::vector<std::uint8_t>(size.configImageSize)};
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_GetConfigImage_Params, image);
        image.pHostObject = object_;
        image.configImageSize = plan.image.size();
        image.pConfigImage = plan.image.data();
        STRATA_CUPTI(cupti_, cuptiProfilerHostGetConfigImage, &image);
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_GetNumOfPasses_Params, passes);
        passes.configImageSize = plan.image.size();
        passes.pConfigImage = plan.image.data();
        STRATA_CUPTI(cupti_, cuptiProfilerHostGetNumOfPasses, &passes);
        plan.passes = int(passes.numOfPasses);
        return plan;
    }

private:
    const CuptiLibrary& cupti_;
    const std::string chip_;
    const std::vector<std::uint8_t> availability_;
    CUpti_Profiler_Host_Object* object_ = nullptr;
};

CUcontext current_context() {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    if (cudaFree(nullptr) != cudaSuccess ||
        cudaGetDriverEntryPointByVersion("cuCtxGetCurrent", &found, 12000, cudaEnableDefault, &result) != cudaSuccess ||
        !found)
        throw CuptiError("there is no CUDA context to count in");
    CUcontext context = nullptr;
    reinterpret_cast<CUresult (*)(CUcontext*)>(found)(&context);
    return context;
}

// The GPU's side: what is counted between start and stop.
class Target {
public:
    explicit Target(const CuptiLibrary& cupti) : cupti_(cupti) {
        STRATA_CUPTI_PARAMS(CUpti_Profiler_Initialize_Params, initialize);
        STRATA_CUPTI(cupti_, cuptiProfilerInitialize, &initialize);
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_Enable_Params, enable);
        enable.ctx = current_context();
        STRATA_CUPTI(cupti_, cuptiRangeProfilerEnable, &enable);
        object_ = enable.pRangeProfilerObject;
    }
    ~Target() {
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_Disable_Params, params);
        params.pRangeProfilerObject = object_;
        cupti_.function<std::remove_pointer_t<decltype(&cuptiRangeProfilerDisable)>>("cuptiRangeProfilerDisable",
                                                                                     nullptr)(&params);
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    std::vector<std::uint8_t> data_for(const std::vector<std::string>& metrics) const {
        std::vector<const char*> names = names_of(metrics);
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_GetCounterDataSize_Params, size);
        size.pRangeProfilerObject = object_;
        size.pMetricNames = names.data();
        size.numMetrics = names.size();
        size.maxNumOfRanges = 1;
        size.maxNumRangeTreeNodes = 1;
        STRATA_CUPTI(cupti_, cuptiRangeProfilerGetCounterDataSize, &size);
        std::vector<std::uint8_t> data(size.counterDataSize);
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_CounterDataImage_Initialize_Params, initialize);
        initialize.pRangeProfilerObject = object_;
        initialize.counterDataSize = data.size();
        initialize.pCounterData = data.data();
        STRATA_CUPTI(cupti_, cuptiRangeProfilerCounterDataImageInitialize, &initialize);
        return data;
    }

    // One range that the caller pushes and pops; `work` is run again until every pass has been submitted.
    void run(const CounterPlan& plan, std::vector<std::uint8_t>& data, const std::function<void()>& before,
             const std::function<void()>& work) const {
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_SetConfig_Params, config);
        config.pRangeProfilerObject = object_;
        config.configSize = plan.image.size();
        config.pConfig = plan.image.data();
        config.counterDataImageSize = data.size();
        config.pCounterDataImage = data.data();
        config.range = CUPTI_UserRange;
        config.replayMode = CUPTI_UserReplay;
        config.maxRangesPerPass = 1;
        config.numNestingLevels = 1;
        config.minNestingLevel = 1;
        config.targetNestingLevel = 1;
        STRATA_CUPTI(cupti_, cuptiRangeProfilerSetConfig, &config);
        for (bool over = false; !over;) {
            STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_Start_Params, start);
            STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_PushRange_Params, push);
            STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_PopRange_Params, pop);
            STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_Stop_Params, stop);
            start.pRangeProfilerObject = push.pRangeProfilerObject = object_;
            pop.pRangeProfilerObject = stop.pRangeProfilerObject = object_;
            push.pRangeName = "work";
            before();
            STRATA_CUPTI(cupti_, cuptiRangeProfilerStart, &start);
            STRATA_CUPTI(cupti_, cuptiRangeProfilerPushRange, &push);
            work();
            STRATA_CUPTI(cupti_, cuptiRangeProfilerPopRange, &pop);
            STRATA_CUPTI(cupti_, cuptiRangeProfilerStop, &stop);
            over = stop.isAllPassSubmitted;
        }
        STRATA_CUPTI_PARAMS(CUpti_RangeProfiler_DecodeData_Params, decode);
        decode.pRangeProfilerObject = object_;
        STRATA_CUPTI(cupti_, cuptiRangeProfilerDecodeData, &decode);
    }

private:
    const CuptiLibrary& cupti_;
    CUpti_RangeProfiler_Object* object_ = nullptr;
};

std::string chip_name(const CuptiLibrary& cupti) {
    STRATA_CUPTI_PARAMS(CUpti_Device_GetChipName_Params, params);
    STRATA_CUPTI(cupti, cuptiDeviceGetChipName, &params);
    return params.pChipName;
}

std::vector<std::uint8_t> availability_of(const CuptiLibrary& cupti) {
    STRATA_CUPTI_PARAMS(CUpti_Profiler_GetCounterAvailability_Params, params);
    STRATA_CUPTI(cupti, cuptiProfilerGetCounterAvailability, &params);
    std::vector<std::uint8_t> image(params.counterAvailabilityImageSize);
    params.pCounterAvailabilityImage = image.data();
    STRATA_CUPTI(cupti, cuptiProfilerGetCounterAvailability, &params);
    return image;
}

}  // namespace

const std::vector<MetricSet>& metric_sets() {
    static const std::vector<MetricSet> sets{
        {"memory",
         {"dram__bytes_read.sum", "dram__bytes_write.sum", "gpu__time_duration.sum",
          "gpc__cycles_elapsed.avg.per_second"},
         1},
        {"tensor",
         {"dram__bytes_read.sum", "dram__bytes_write.sum", "gpu__time_duration.sum",
          "gpc__cycles_elapsed.avg.per_second", "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
          "sm__inst_executed_pipe_tensor_op_gmma.sum"},
         1},
        {"residency",
         {"sm__warps_active.avg.pct_of_peak_sustained_active", "lts__t_sector_hit_rate.pct",
          "sm__issue_active.avg.pct_of_peak_sustained_active"},
         2},
        {"link", {"pcie__read_bytes.sum", "pcie__write_bytes.sum"}, 1},
    };
    return sets;
}

CounterPlan plan_counters(const CuptiLibrary& cupti, const std::string& chip, const std::vector<std::string>& metrics,
                          const std::vector<std::uint8_t>& availability) {
    return Host(cupti, chip, availability).plan(metrics);
}

std::map<std::string, double> count(const CuptiLibrary& cupti, const MetricSet& set,
                                    const std::function<void()>& before, const std::function<void()>& work) {
    STRATA_CUPTI_PARAMS(CUpti_Profiler_Initialize_Params, initialize);
    STRATA_CUPTI(cupti, cuptiProfilerInitialize, &initialize);
    current_context();
    const Host host(cupti, chip_name(cupti), availability_of(cupti));
    const CounterPlan plan = host.plan(set.metrics);
    const Target target(cupti);
    std::vector<std::uint8_t> data = target.data_for(set.metrics);
    target.run(plan, data, before, work);
    std::vector<const char*> names = names_of(set.metrics);
    std::vector<double> values(names.size());
    STRATA_CUPTI_PARAMS(CUpti_Profiler_Host_EvaluateToGpuValues_Params, evaluate);
    evaluate.pHostObject = host.object();
    evaluate.pCounterDataImage = data.data();
    evaluate.counterDataImageSize = data.size();
    evaluate.ppMetricNames = names.data();
    evaluate.numMetrics = names.size();
    evaluate.pMetricValues = values.data();
    STRATA_CUPTI(cupti, cuptiProfilerHostEvaluateToGpuValues, &evaluate);
    std::map<std::string, double> counted;
    for (std::size_t i = 0; i < values.size(); ++i) counted[set.metrics[i]] = values[i];
    return counted;
}

}  // namespace strata
